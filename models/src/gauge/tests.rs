use super::*;

#[test]
fn what_was_not_expanded_is_queued() {
    let gauge = Gauge::default();
    assert!(gauge.expand() && gauge.expand());
    gauge.only_asked();
    assert_eq!(gauge.queue(5), 4);
    assert_eq!(gauge.queue(0), 0);
}

#[test]
fn who_was_told_to_stop_expands_no_more() {
    let gauge = Gauge::default();
    gauge.stop();
    assert!(gauge.is_stopped() && !gauge.expand());
}

#[test]
fn resident_memory_is_read_from_the_systems_words() {
    assert_eq!(resident("Name:\tx\nVmRSS:\t    2048 kB\nVmData:\t 1 kB\n"), Some(2048 << 10));
    assert_eq!(resident("Name:\tx\n"), None);
    assert_eq!(resident("VmRSS:\t2048 pages\n"), None);
}

#[test]
#[cfg(target_os = "linux")]
fn this_process_has_some() {
    assert!(memory().expect("Linux says it") > 1 << 20);
}

#[test]
fn amounts_have_a_unit() {
    assert_eq!(parse_memory("6G"), Ok(6 << 30));
    assert_eq!(parse_memory("512m"), Ok(512 << 20));
    assert_eq!(parse_memory("4K"), Ok(4 << 10));
    for wrong in ["", "6", "G", "0G", "-1G", "6 G", "6T", "1.5G", "99999999999999999G", "6é"] {
        assert!(parse_memory(wrong).is_err(), "{wrong}");
    }
}
