//! The terminal of whoever runs the command, for questions to them.
//!
//! It is opened by its own name, so that nothing that is piped in answers. The invariant: an answer
//! was typed after its question was shown.

use std::fs::File;
use std::io::{self, Read as _, Write};

use crate::exit::{Exit, Failure};
use crate::output::UNTOLD;

/// The longest line that a terminal hands over, and more.
const LONGEST: usize = 8 * 1024;

pub(super) struct Terminal {
    input: File,
    output: anstream::AutoStream<File>,
}

impl Terminal {
    /// Opens the terminal that controls this process.
    ///
    /// # Errors
    ///
    /// If there is none; `remedy` says what to do then.
    pub(super) fn open(remedy: &str) -> Result<Self, Failure> {
        let open = || {
            let input = File::open("/dev/tty")?;
            let output = File::options().write(true).open("/dev/tty")?;
            Ok::<_, io::Error>((input, output))
        };
        let (input, output) = open().map_err(|_| {
            let message = format!("there is no terminal to ask on; {remedy}");
            Failure::Refused(Exit::Unusable, message)
        })?;
        Ok(Self {
            input,
            output: anstream::AutoStream::auto(output),
        })
    }

    /// How wide it is.
    pub(super) fn width(&self) -> usize {
        let size = terminal_size::terminal_size_of(&self.input);
        size.map_or(UNTOLD, |(width, _)| width.0.into())
    }

    /// Shows a question, and waits for a line; `None` at the end of the input. What was typed before
    /// is dropped.
    ///
    /// # Errors
    ///
    /// If the terminal is gone, or the answer is no text.
    pub(super) fn ask(&mut self, question: &str) -> io::Result<Option<String>> {
        #[cfg(unix)]
        rustix::termios::tcflush(&self.input, rustix::termios::QueueSelector::IFlush)?;
        write!(self.output, "{question}")?;
        self.output.flush()?;
        let mut line = vec![0; LONGEST];
        let mut length = 0;
        // A terminal hands over a line at a time.
        while let Some(rest) = line.get_mut(length..).filter(|rest| !rest.is_empty()) {
            let read = self.input.read(rest)?;
            length += read;
            let is_whole = rest.get(..read).is_some_and(|read| read.ends_with(b"\n"));
            if read == 0 || is_whole {
                break;
            }
        }
        line.truncate(length);
        if line.is_empty() {
            writeln!(self.output)?;
            return Ok(None);
        }
        let line = String::from_utf8(line);
        let line = line.map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        Ok(Some(line.trim().to_owned()))
    }
}

impl Write for Terminal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}
