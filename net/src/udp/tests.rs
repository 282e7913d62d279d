use super::*;

fn loopback() -> SocketAddr {
    "127.0.0.1:0".parse().expect("an address")
}

#[tokio::test]
async fn a_datagram_arrives_whole_with_its_sender() {
    let (a, b) = (bind(loopback()).unwrap(), bind(loopback()).unwrap());
    let to = Datagrams::local_addr(&b).unwrap();
    Datagrams::send_to(&a, &[7; 65_507], to).await.unwrap();
    let mut buffer = vec![0; LARGEST_DATAGRAM];
    let (length, from) = Datagrams::recv_from(&b, &mut buffer).await.unwrap();
    assert_eq!((length, from), (65_507, a.local_addr().unwrap()));
}

#[tokio::test]
async fn a_busy_port_is_one_clear_line() {
    let taken = bind(loopback()).unwrap().local_addr().unwrap();
    let holder = bind(taken).unwrap();
    let error = bind(taken).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot listen on udp:{taken}: address in use"));
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    drop(holder);
}

#[tokio::test]
async fn an_address_of_another_host_is_one_clear_line() {
    let error = bind("192.0.2.1:5060".parse().unwrap()).unwrap_err();
    let line = "cannot listen on udp:192.0.2.1:5060: this host does not have that address";
    assert_eq!(error.to_string(), line);
}

#[test]
fn a_full_socket_is_not_an_unreachable_peer() {
    assert!(!is_unreachable(&io::ErrorKind::WouldBlock.into()));
    assert!(!is_unreachable(&io::ErrorKind::Interrupted.into()));
    assert!(is_unreachable(&io::ErrorKind::ConnectionRefused.into()));
    assert!(is_unreachable(&io::ErrorKind::HostUnreachable.into()));
}
