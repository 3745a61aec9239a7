//! Sockets that syslog messages are sent through.
//!
//! The invariant: nothing takes longer than the deadline, but for looking up a host.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs as _, UdpSocket};
#[cfg(unix)]
use std::os::unix::net::UnixDatagram;
#[cfg(unix)]
use std::path::PathBuf;
use std::time::{Duration, Instant};

use aegize_core::SinkError;

/// Of a datagram that is longer than its socket takes.
#[cfg(unix)]
const TOO_LONG: i32 = rustix::io::Errno::MSGSIZE.raw_os_error();
#[cfg(not(unix))]
const TOO_LONG: i32 = 10040;

/// Where a receiver is.
#[derive(Debug)]
pub(super) enum Address {
    #[cfg(unix)]
    Unix(PathBuf),
    Udp(String),
    Tcp(String),
}

/// A socket to a receiver.
#[derive(Debug)]
pub(super) struct Connection {
    socket: Socket,
    /// Datagrams before this record are with the receiver, and are not sent again.
    sent_before: u64,
    is_broken: bool,
}

#[derive(Debug)]
enum Socket {
    Datagrams(Datagrams),
    Stream(TcpStream),
}

#[derive(Debug)]
enum Datagrams {
    #[cfg(unix)]
    Unix(UnixDatagram),
    Udp(UdpSocket),
}

impl Address {
    pub(super) fn connect(&self, timeout: Duration) -> Result<Connection, SinkError> {
        let (receiver, socket) = match self {
            #[cfg(unix)]
            Self::Unix(path) => (path.display().to_string(), unix(path)),
            Self::Udp(address) => (address.clone(), first_of(address, udp)),
            Self::Tcp(address) => (address.clone(), first_of(address, |at| tcp(at, timeout))),
        };
        let socket = socket.map_err(|error| {
            SinkError::unavailable(format!("syslog at `{receiver}` cannot be reached: {error}"))
        })?;
        Ok(Connection {
            socket,
            sent_before: 0,
            is_broken: false,
        })
    }
}

#[cfg(unix)]
fn unix(path: &PathBuf) -> io::Result<Socket> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(path)?;
    Ok(Socket::Datagrams(Datagrams::Unix(socket)))
}

fn udp(at: SocketAddr) -> io::Result<Socket> {
    let any = match at {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let socket = UdpSocket::bind(any)?;
    socket.connect(at)?;
    Ok(Socket::Datagrams(Datagrams::Udp(socket)))
}

fn tcp(at: SocketAddr, timeout: Duration) -> io::Result<Socket> {
    let stream = TcpStream::connect_timeout(&at, timeout)?;
    stream.set_nodelay(true)?;
    Ok(Socket::Stream(stream))
}

/// What one of the addresses of a host gives.
fn first_of(host: &str, to: impl Fn(SocketAddr) -> io::Result<Socket>) -> io::Result<Socket> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in host.to_socket_addrs()? {
        match to(address) {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error,
        }
    }
    Err(last)
}

impl Connection {
    /// Whether the socket is of no more use.
    pub(super) fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Whether the receiver has not closed its end, as far as that is known here.
    pub(super) fn is_open(&self) -> bool {
        match &self.socket {
            Socket::Stream(stream) => is_open(stream).unwrap_or(false),
            Socket::Datagrams(_) => true,
        }
    }

    /// Sends messages, each with its record's position.
    pub(super) fn send(
        &mut self,
        messages: &[(u64, Vec<u8>)],
        deadline: Instant,
    ) -> Result<(), SinkError> {
        let sent = match &self.socket {
            Socket::Stream(stream) => send_frames(stream, messages, deadline).map_err(|error| {
                // Part of a frame may be there.
                self.is_broken = true;
                format!("the syslog connection broke: {error}")
            }),
            Socket::Datagrams(socket) => {
                for (seq, message) in messages {
                    if *seq < self.sent_before {
                        continue;
                    }
                    match socket.send(message, deadline) {
                        Ok(()) => self.sent_before = seq + 1,
                        Err(error) if error.raw_os_error() == Some(TOO_LONG) => {
                            let length = message.len();
                            return Err(SinkError::rejected(format!(
                                "record {seq} is too long for a datagram: {length} bytes; \
                                 use syslog over TCP"
                            )));
                        }
                        Err(error) => {
                            // A receiver that only does not keep up has what it was sent.
                            self.is_broken = !is_timeout(&error);
                            return Err(SinkError::unavailable(format!(
                                "syslog does not take a datagram: {error}"
                            )));
                        }
                    }
                }
                socket.late_error().map_err(|error| {
                    self.is_broken = true;
                    format!("syslog does not listen: {error}")
                })
            }
        };
        sent.map_err(SinkError::unavailable)
    }
}

impl Datagrams {
    fn send(&self, message: &[u8], deadline: Instant) -> io::Result<()> {
        let timeout = Some(remaining(deadline)?);
        match self {
            #[cfg(unix)]
            Self::Unix(socket) => {
                socket.set_write_timeout(timeout)?;
                socket.send(message)?;
            }
            Self::Udp(socket) => {
                socket.set_write_timeout(timeout)?;
                socket.send(message)?;
            }
        }
        Ok(())
    }

    /// That nobody listens at an address is told after a datagram was sent there.
    fn late_error(&self) -> io::Result<()> {
        match self {
            Self::Udp(socket) => socket.take_error()?.map_or(Ok(()), Err),
            #[cfg(unix)]
            Self::Unix(_) => Ok(()),
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

fn remaining(deadline: Instant) -> io::Result<Duration> {
    let remaining = deadline.saturating_duration_since(Instant::now());
    if remaining.is_zero() {
        return Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the receiver does not keep up",
        ));
    }
    Ok(remaining)
}

fn send_frames(
    mut stream: &TcpStream,
    messages: &[(u64, Vec<u8>)],
    deadline: Instant,
) -> io::Result<()> {
    let mut frames = Vec::new();
    for (_, message) in messages {
        frames.extend_from_slice(format!("{} ", message.len()).as_bytes());
        frames.extend_from_slice(message);
    }
    let mut rest = frames.as_slice();
    while !rest.is_empty() {
        stream.set_write_timeout(Some(remaining(deadline)?))?;
        match stream.write(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => rest = rest.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    if is_open(stream)? {
        Ok(())
    } else {
        Err(io::ErrorKind::ConnectionReset.into())
    }
}

/// Whether the other end is open. Syslog receivers say nothing; what one says is thrown away.
fn is_open(mut stream: &TcpStream) -> io::Result<bool> {
    let mut ignored = [0; 4096];
    stream.set_nonblocking(true)?;
    let mut seen = Ok(true);
    // One that never stops talking is open.
    for _ in 0..16 {
        match stream.read(&mut ignored) {
            Ok(0) => seen = Ok(false),
            Ok(_) => continue,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => seen = Err(error),
        }
        break;
    }
    stream.set_nonblocking(false)?;
    seen
}
