//! One datagram after the other, for systems without batches.

use socket2::Socket;
use std::io;
use std::net::UdpSocket;
use std::time::Duration;

/// Room for the largest datagram.
pub(crate) struct Batches(Vec<u8>);

impl Batches {
    pub(crate) fn new() -> Self {
        Self(vec![0; 65_536])
    }

    /// Sends one datagram.
    pub(crate) fn send<'a>(
        &mut self,
        socket: &UdpSocket,
        mut datagrams: impl Iterator<Item = &'a [u8]>,
    ) -> io::Result<usize> {
        let Some(datagram) = datagrams.next() else { return Ok(0) };
        socket.send(datagram).map(|_| 1)
    }

    /// Hands over one datagram; there may be more.
    pub(crate) fn receive(
        &mut self,
        socket: &UdpSocket,
        sink: &mut dyn FnMut(&[u8]),
    ) -> io::Result<bool> {
        let length = socket.recv(&mut self.0)?;
        sink(&self.0[..length]);
        Ok(true)
    }
}

/// Waits for what comes, no longer than `time`.
pub(crate) fn wait(socket: &UdpSocket, room_is_wanted: bool, time: Duration) -> io::Result<()> {
    // There is no waiting for room here: it comes as soon as the other side reads.
    let time = if room_is_wanted { Duration::from_millis(1) } else { time };
    socket.set_nonblocking(false)?;
    socket.set_read_timeout(Some(time.max(Duration::from_micros(1))))?;
    let mut nothing = [0; 1];
    // It stays where it is, whatever comes of looking.
    let _ = socket.peek(&mut nothing);
    socket.set_nonblocking(true)
}

/// Asks for large buffers.
pub(crate) fn enlarge(socket: &Socket, size: usize) {
    // Less than asked for is no reason not to measure: what finds no room is counted.
    let _ = socket.set_recv_buffer_size(size);
    let _ = socket.set_send_buffer_size(size);
}
