//! An HTTP server that keeps what it is asked and answers as a test says.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use ureq::http::{HeaderMap, HeaderName, HeaderValue};

#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

pub(crate) struct Server {
    pub(crate) origin: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

/// An answer without a body.
pub(crate) fn status(line: &str) -> Vec<u8> {
    format!("HTTP/1.1 {line}\r\ncontent-length: 0\r\n\r\n").into_bytes()
}

impl Server {
    /// Answers the requests, which are counted from 0, with bytes that a function makes.
    pub(crate) fn start(answer: impl Fn(usize, &Request) -> Vec<u8> + Send + 'static) -> Self {
        Self::streaming(move |count, request, stream| {
            stream.write_all(&answer(count, request)).is_ok()
        })
    }

    /// Lets a function answer, which says whether the connection stays.
    pub(crate) fn streaming(
        answer: impl Fn(usize, &Request, &mut TcpStream) -> bool + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::<Mutex<Vec<Request>>>::default();
        let seen = requests.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                while let Some(request) = read(&mut reader) {
                    let count = seen.lock().unwrap().len();
                    seen.lock().unwrap().push(request.clone());
                    if !answer(count, &request, &mut stream) {
                        break;
                    }
                }
            }
        });
        Self { origin, requests }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

/// The next request, until the connection ends.
fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut request = Request::default();
    reader.read_line(&mut request.line).ok()?;
    if request.line.is_empty() {
        return None;
    }
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        let name: HeaderName = name.parse().unwrap();
        let value = HeaderValue::from_str(value.trim()).unwrap();
        request.headers.append(name, value);
    }
    let length = request.headers.get("content-length");
    let length = length.map_or(0, |length| length.to_str().unwrap().parse().unwrap());
    request.body = vec![0; length];
    reader.read_exact(&mut request.body).ok()?;
    Some(request)
}
