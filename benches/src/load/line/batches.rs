//! Many datagrams in one call of the kernel, as Linux can.

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::socket::sockopt::{RcvBufForce, SndBufForce};
use nix::sys::socket::{ControlMessage, MsgFlags, MultiHeaders, recvmmsg, sendmmsg, setsockopt};
use nix::sys::time::TimeSpec;
use socket2::Socket;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::UdpSocket;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

/// Datagrams in one batch.
const BATCH: usize = 64;
/// Room for the largest datagram, and no power of two: buffers a power of two apart would share
/// the same few lines of the cache.
const ROOM: usize = 65_536 + 192;

/// What the kernel is told of a batch, kept for the next one.
pub(crate) struct Batches {
    buffer: Vec<u8>,
    incoming: MultiHeaders<()>,
    outgoing: MultiHeaders<()>,
}

impl Batches {
    pub(crate) fn new() -> Self {
        Self {
            buffer: vec![0; BATCH * ROOM],
            incoming: MultiHeaders::preallocate(BATCH, None),
            outgoing: MultiHeaders::preallocate(BATCH, None),
        }
    }

    /// Sends up to a batch of datagrams and says how many have left.
    pub(crate) fn send<'d>(
        &mut self,
        socket: &UdpSocket,
        datagrams: impl Iterator<Item = &'d [u8]>,
    ) -> io::Result<usize> {
        let slices: Vec<[IoSlice<'d>; 1]> =
            datagrams.take(BATCH).map(|datagram| [IoSlice::new(datagram)]).collect();
        send(socket, &mut self.outgoing, &slices)
    }

    /// Hands over up to a batch, and says whether it was full.
    pub(crate) fn receive(
        &mut self,
        socket: &UdpSocket,
        sink: &mut dyn FnMut(&[u8]),
    ) -> io::Result<bool> {
        let mut lengths = [0; BATCH];
        let count = receive(socket, &mut self.incoming, &mut self.buffer, &mut lengths)?;
        for (room, length) in self.buffer.chunks_exact(ROOM).zip(&lengths[..count]) {
            sink(&room[..*length]);
        }
        Ok(count == BATCH)
    }
}

fn send<'a>(
    socket: &UdpSocket,
    headers: &'a mut MultiHeaders<()>,
    slices: &'a [[IoSlice<'a>; 1]],
) -> io::Result<usize> {
    let nobody: [Option<()>; BATCH] = [None; BATCH];
    let control: [ControlMessage<'_>; 0] = [];
    let flags = MsgFlags::MSG_DONTWAIT;
    let sent = sendmmsg(socket.as_raw_fd(), headers, slices, nobody, control, flags)?;
    Ok(sent.count())
}

fn receive(
    socket: &UdpSocket,
    headers: &mut MultiHeaders<()>,
    buffer: &mut [u8],
    lengths: &mut [usize; BATCH],
) -> io::Result<usize> {
    let mut slices: Vec<[IoSliceMut<'_>; 1]> =
        buffer.chunks_exact_mut(ROOM).map(|room| [IoSliceMut::new(room)]).collect();
    let flags = MsgFlags::MSG_DONTWAIT;
    let received = recvmmsg(socket.as_raw_fd(), headers, slices.iter_mut(), flags, None)?;
    let mut count = 0;
    for (message, length) in received.zip(lengths) {
        *length = message.bytes;
        count += 1;
    }
    Ok(count)
}

/// Waits for what comes, for room where that is wanted, and no longer than `time`.
pub(crate) fn wait(socket: &UdpSocket, room_is_wanted: bool, time: Duration) -> io::Result<()> {
    let mut flags = PollFlags::POLLIN;
    flags.set(PollFlags::POLLOUT, room_is_wanted);
    let mut watched = [PollFd::new(socket.as_fd(), flags)];
    match ppoll(&mut watched, Some(TimeSpec::from(time)), None) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Asks for large buffers: beyond the limit of the system where we may, up to it otherwise.
pub(crate) fn enlarge(socket: &Socket, size: usize) {
    // Less than asked for is no reason not to measure: what finds no room is counted.
    if setsockopt(socket, RcvBufForce, &size).is_err() {
        let _ = socket.set_recv_buffer_size(size);
    }
    if setsockopt(socket, SndBufForce, &size).is_err() {
        let _ = socket.set_send_buffer_size(size);
    }
}
