//! What moves the media of one user agent.

use super::phone::{Happening, Stream, StreamName, Studio};
use bytes::Bytes;
use presently_engine::agent::StreamKeys;
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

/// Ports on one address.
#[derive(Debug)]
pub(crate) struct Desk {
    ip: IpAddr,
    ports: BTreeMap<u16, UdpSocket>,
}

impl Desk {
    /// No port is open yet.
    pub(crate) fn new(ip: IpAddr, _: super::media::Devices) -> Self {
        Self { ip, ports: BTreeMap::new() }
    }
}

impl Studio for Desk {
    fn open(&mut self) -> io::Result<u16> {
        let socket = UdpSocket::bind(SocketAddr::new(self.ip, 0))?;
        let port = socket.local_addr()?.port();
        self.ports.insert(port, socket);
        Ok(port)
    }
    fn close(&mut self, port: u16) {
        self.ports.remove(&port);
    }
    fn start(&mut self, _: Stream) {}
    fn stop(&mut self, _: StreamName) {}
    fn send(&mut self, _: u16, _: SocketAddr, _: Bytes) {}
    fn bye(&mut self, _: u16, _: SocketAddr, _: u32, _: Option<StreamKeys>) {}
    fn key(&mut self) -> [u8; 30] {
        [0; 30]
    }
    async fn happening(&mut self) -> Happening {
        std::future::pending().await
    }
}
