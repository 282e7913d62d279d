//! The bare echo, from both sides: what datagrams cost without a server that thinks.

use crate::load::Nanos;
use crate::load::bench::{Bench, Next, Source};
use crate::load::client::{Client, Deed};
use crate::load::line;
use crate::load::report::Report;
use crate::load::wire::read::{decimal, split_line};
use presently::failure::Failure;
use std::io;
use std::net::SocketAddr;

/// Datagrams of the sizes asked for.
pub(crate) fn measure(bench: &mut Bench) -> Result<Report, Failure> {
    let (size, answer) = (bench.options.size as u32, bench.options.answer_size as u32);
    bench.measure(&mut Shouting(Deed::Echo { size, answer }))
}

struct Shouting(Deed);

impl Source for Shouting {
    fn next(&mut self, _client: &mut Client, _now: Nanos) -> Next {
        Next::Begin(self.0)
    }
}

/// Answers datagrams on `listen` until the process is ended: one call of the kernel to receive, one
/// to send. It says where it listens on stdout.
pub(crate) fn serve(listen: SocketAddr) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::work(format!("--listen {listen}: {error}"));
    let socket = line::bind(listen).map_err(failed)?;
    socket.set_nonblocking(false).map_err(failed)?;
    println!("ready udp:{}", socket.local_addr().map_err(failed)?);
    let mut buffer = vec![0; 65_536];
    let mut answer = Vec::with_capacity(65_536);
    loop {
        // Whoever has gone away since is told of by an error, which concerns nobody here.
        let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
        echo(&buffer[..length], &mut answer);
        let _ = socket.send_to(&answer, from);
    }
}

/// Writes the answer: as long as the first line asks for, with the second line as it came.
fn echo(datagram: &[u8], answer: &mut Vec<u8>) {
    let (first, rest) = split_line(datagram);
    let (second, _) = split_line(rest);
    let size = first.get(5..10).and_then(decimal).unwrap_or(0).min(65_000) as usize;
    answer.clear();
    answer.extend_from_slice(b"SIP/2.0 200 OK\r\n");
    answer.extend_from_slice(second);
    answer.extend_from_slice(b"\r\n");
    answer.resize(answer.len().max(size), b' ');
}
