use super::*;

fn refused(rule: &Rule<Device>, device: &str) -> bool {
    rule.flag("--audio-in", device).is_err()
}

#[test]
fn devices_are_tones_files_and_silence() {
    let input = Device::input();
    assert_eq!(input.flag("", "null"), Ok(Device::Null));
    assert_eq!(input.flag("", "tone"), Ok(Device::Tone { hertz: 440 }));
    assert_eq!(input.flag("", "tone:1000"), Ok(Device::Tone { hertz: 1000 }));
    for wrong in ["", "tone:", "tone:5", "tone:x", "wav:", "pattern", "hw:0", "null:1"] {
        assert!(refused(&input, wrong), "{wrong}");
    }
}

#[test]
fn a_file_must_be_there_to_record_from_and_its_folder_to_play_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.wav");
    let device = format!("wav:{}", file.display());
    assert!(refused(&Device::input(), &device));
    assert!(!refused(&Device::output(), &device));
    std::fs::write(&file, b"RIFF").expect("written");
    assert!(!refused(&Device::input(), &device));
    assert!(refused(&Device::output(), "wav:/no/such/folder/a.wav"));
}

#[test]
fn a_port_of_an_offer_is_ours_alone() {
    let ip = IpAddr::from([127, 0, 0, 1]);
    let (kept, port) = port(ip).expect("a port");
    assert!(port >= 1024);
    assert!(UdpSocket::bind(SocketAddr::new(ip, port)).is_err());
    drop(kept);
    assert!(UdpSocket::bind(SocketAddr::new(ip, port)).is_ok());
}
