//! What the kernel takes for datagrams to many addresses: one call each, and one call for many.
//! It is why the server does not batch: on loopback nothing is won.

use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
#[cfg(target_os = "linux")]
use nix::sys::socket::{ControlMessage, MsgFlags, MultiHeaders, SockaddrIn, recvmmsg, sendmmsg};
use std::hint::black_box;
#[cfg(target_os = "linux")]
use std::io::{IoSlice, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
#[cfg(target_os = "linux")]
use std::os::fd::AsRawFd;
use std::time::Instant;

const MANY: usize = 64;
/// Bytes of a NOTIFY.
const SIZE: usize = 770;

type Group<'a> = BenchmarkGroup<'a, criterion::measurement::WallTime>;

/// One who sends, and as many who receive as there are datagrams.
struct Street {
    sender: UdpSocket,
    houses: Vec<UdpSocket>,
    addresses: Vec<SocketAddr>,
}

impl Street {
    fn new() -> Self {
        let bind = || UdpSocket::bind("127.0.0.1:0").expect("a port is free");
        let houses: Vec<UdpSocket> = (0..MANY).map(|_| bind()).collect();
        let address = |house: &UdpSocket| house.local_addr().expect("it is bound");
        let addresses = houses.iter().map(address).collect();
        Self { sender: bind(), houses, addresses }
    }

    fn send_each(&self) {
        for address in &self.addresses {
            let sent = self.sender.send_to(&[7; SIZE], address);
            assert_eq!(sent.expect("there is room"), SIZE);
        }
    }

    fn clear(&self) {
        let mut buffer = [0; SIZE];
        for house in &self.houses {
            assert_eq!(house.recv(&mut buffer).expect("it was sent"), SIZE);
        }
    }

    /// Puts `MANY` datagrams before the first door.
    fn fill(&self) {
        for _ in 0..MANY {
            self.sender.send_to(&[7; SIZE], self.addresses[0]).expect("there is room");
        }
    }

    fn receive_each(&self) {
        let mut buffer = [0; 2 * SIZE];
        for _ in 0..MANY {
            black_box(self.houses[0].recv_from(&mut buffer).expect("it was sent"));
        }
    }

    #[cfg(target_os = "linux")]
    fn send_together(&self) {
        let mut headers = MultiHeaders::preallocate(MANY, None);
        let datagram = [7; SIZE];
        let slices: Vec<[IoSlice<'_>; 1]> = (0..MANY).map(|_| [IoSlice::new(&datagram)]).collect();
        let to: Vec<Option<SockaddrIn>> = self
            .addresses
            .iter()
            .map(|address| match address {
                SocketAddr::V4(address) => Some(SockaddrIn::from(*address)),
                SocketAddr::V6(_) => None,
            })
            .collect();
        let control: [ControlMessage<'_>; 0] = [];
        let (socket, flags) = (self.sender.as_raw_fd(), MsgFlags::empty());
        let sent = sendmmsg(socket, &mut headers, &slices, to, control, flags);
        assert_eq!(sent.expect("there is room").count(), MANY);
    }

    #[cfg(target_os = "linux")]
    fn receive_together(&self) {
        let mut headers = MultiHeaders::<SockaddrIn>::preallocate(MANY, None);
        let mut buffer = [0; MANY * 2 * SIZE];
        let mut slices: Vec<[IoSliceMut<'_>; 1]> =
            buffer.chunks_exact_mut(2 * SIZE).map(|room| [IoSliceMut::new(room)]).collect();
        let (socket, flags) = (self.houses[0].as_raw_fd(), MsgFlags::MSG_DONTWAIT);
        let received = recvmmsg(socket, &mut headers, slices.iter_mut(), flags, None);
        assert_eq!(received.expect("they were sent").count(), MANY);
    }
}

fn row(
    group: &mut Group<'_>,
    name: &str,
    before: fn(&Street),
    it: fn(&Street),
    after: fn(&Street),
) {
    let street = Street::new();
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|rounds| {
            let mut taken = std::time::Duration::ZERO;
            for _ in 0..rounds {
                before(&street);
                let begun = Instant::now();
                it(&street);
                taken += begun.elapsed();
                after(&street);
            }
            taken
        });
    });
}

fn datagrams(criterion: &mut Criterion) {
    let nothing: fn(&Street) = |_| {};
    let mut group = criterion.benchmark_group("datagrams");
    group.throughput(Throughput::Elements(MANY as u64));
    row(&mut group, "sent_one_by_one", nothing, Street::send_each, Street::clear);
    #[cfg(target_os = "linux")]
    row(&mut group, "sent_together", nothing, Street::send_together, Street::clear);
    row(&mut group, "received_one_by_one", Street::fill, Street::receive_each, nothing);
    #[cfg(target_os = "linux")]
    row(&mut group, "received_together", Street::fill, Street::receive_together, nothing);
    group.finish();
}

criterion_group!(benches, datagrams);
criterion_main!(benches);
