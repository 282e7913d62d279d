use super::*;

/// Every tick of 160 units until nothing is left.
fn dial(keys: &str) -> Vec<Option<(u32, bool, Event)>> {
    let mut dial = Dial::default();
    dial.press(keys);
    let mut ticks = Vec::new();
    while dial.is_busy() {
        let sent = dial.tick(ticks.len() as u32 * 160, 160);
        let read = |payload: Bytes| Event::parse(&payload).expect("an event");
        ticks.push(sent.map(|(time, marker, payload)| (time, marker, read(payload))));
    }
    ticks
}

#[test]
fn a_payload_is_written_as_the_figure_of_section_2_3_draws_it() {
    let event = Event { event: 9, end: true, volume: 7, duration: 1600 };
    assert_eq!(event.payload()[..], [9, 0x87, 0x06, 0x40]);
    assert_eq!(Event::parse(&event.payload()), Ok(event));
    assert_eq!(Event::parse(&[9, 0x87, 6]), Err(Malformed));
}

#[test]
fn a_key_is_five_packets_of_one_timestamp_and_its_end_comes_three_times() {
    let ticks = dial("5");
    let sent =
        ticks.iter().flatten().map(|(at, first, event)| (*at, *first, event.duration, event.end));
    let expected = [
        (0, true, 160, false),
        (0, false, 320, false),
        (0, false, 480, false),
        (0, false, 640, false),
        (0, false, 800, true),
        (0, false, 800, true),
        (0, false, 800, true),
    ];
    assert_eq!(sent.collect::<Vec<_>>(), expected);
    assert_eq!(ticks.len(), expected.len() + 2, "and a pause");
}

#[test]
fn keys_are_heard_once_whatever_is_lost_doubled_or_late() {
    let sent: Vec<_> = dial("1 2#d").into_iter().flatten().collect();
    for kept in [|_: usize| true, |index| index % 3 == 0, |index| index % 7 == 6] {
        let mut keys = Keys::default();
        let mut heard = String::new();
        let mut late = None;
        for (_, (time, _, event)) in sent.iter().enumerate().filter(|(index, _)| kept(*index)) {
            heard.extend(keys.receive(*time, &event.payload()));
            heard.extend(keys.receive(*time, &event.payload()));
            if let Some((time, event)) = late.replace((*time, *event)) {
                let event: Event = event;
                heard.extend(keys.receive(time, &event.payload()));
            }
        }
        assert_eq!(heard, "12#D");
    }
}

#[test]
fn the_same_key_twice_is_two_keys() {
    let mut keys = Keys::default();
    let heard: String = dial("77")
        .iter()
        .flatten()
        .filter_map(|(at, _, one)| keys.receive(*at, &one.payload()))
        .collect();
    assert_eq!(heard, "77");
}

#[test]
fn other_events_are_no_keys() {
    let event = Event { event: 36, end: false, volume: 0, duration: 160 };
    assert_eq!(Keys::default().receive(0, &event.payload()), None);
    assert_eq!(Keys::default().receive(0, b""), None);
}
