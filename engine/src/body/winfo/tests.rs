use super::*;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

const RFC_3858: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../tests/examples/xml/rfc3858-s5-01-watcherinfo.xml"
));

fn document(inside: &str) -> String {
    ["<watcherinfo xmlns='urn:ietf:params:xml:ns:watcherinfo' version='3' state='partial'>", inside]
        .concat()
        + "</watcherinfo>"
}

fn watcher_with(attributes: &str) -> Result<WatcherInfo, XmlError> {
    let watcher = format!("<watcher {attributes}>sip:a@b</watcher>");
    let list =
        format!("<watcher-list resource='sip:x@y' package='presence'>{watcher}</watcher-list>");
    WatcherInfo::parse(document(&list).as_bytes())
}

#[test]
fn the_example_of_rfc_3858_is_read() {
    let info = WatcherInfo::parse(RFC_3858).unwrap();
    assert_eq!((info.version, info.full), (0, true));
    let [list] = &info.lists[..] else { panic!("one list") };
    assert_eq!((&*list.resource, &*list.package), ("sip:professor@example.net", "presence"));
    let expected = [
        Watcher {
            id: "8ajksjda7s".into(),
            uri: "sip:userA@example.net".into(),
            status: Status::Active,
            event: Cause::Approved,
            display_name: None,
            expiration: None,
            duration: Some(509),
        },
        Watcher {
            id: "hh8juja87s997-ass7".into(),
            uri: "sip:userB@example.org".into(),
            status: Status::Pending,
            event: Cause::Subscribe,
            display_name: Some("Mr. Subscriber".into()),
            expiration: None,
            duration: None,
        },
    ];
    assert_eq!(list.watchers, expected);
    assert_eq!(WatcherInfo::parse(&info.write()).unwrap(), info);
}

#[test]
fn a_document_is_written_in_the_form_of_the_schema() {
    let row = WatcherRef {
        id: "w1",
        uri: "sip:a&b@example.org",
        status: Status::Terminated,
        event: Cause::Giveup,
        display_name: Some("\"Al\" <a>"),
        expiration: Some(0),
        duration: Some(61),
    };
    let written = write_document(7, false, "sip:bob@example.org", "presence", [row].into_iter());
    assert_eq!(
        std::str::from_utf8(&written).unwrap(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <watcherinfo xmlns=\"urn:ietf:params:xml:ns:watcherinfo\" version=\"7\" \
         state=\"partial\">\n\
         <watcher-list resource=\"sip:bob@example.org\" package=\"presence\">\n\
         <watcher id=\"w1\" status=\"terminated\" event=\"giveup\" \
         display-name=\"&quot;Al&quot; &lt;a&gt;\" expiration=\"0\" \
         duration-subscribed=\"61\">sip:a&amp;b@example.org</watcher>\n\
         </watcher-list>\n\
         </watcherinfo>\n"
    );
}

#[test]
fn an_empty_list_is_a_list() {
    let written = write_document(0, true, "sip:x@y", "presence", std::iter::empty());
    let info = WatcherInfo::parse(&written).unwrap();
    assert!(info.full && info.lists.len() == 1 && info.lists[0].watchers.is_empty());
}

#[test]
fn what_is_not_known_is_ignored() {
    let info = WatcherInfo::parse(
        document(
            "<v:x xmlns:v='urn:v'><watcher-list/></v:x>\
             <watcher-list resource='sip:x@y' package='presence' other='1'><v:y xmlns:v='urn:v'/>\
             <watcher id='1' status='waiting' event='timeout' xml:lang='en' new='2'>\n sip:a@b \n\
             <more/></watcher></watcher-list>",
        )
        .as_bytes(),
    );
    let info = info.unwrap();
    assert_eq!(&*info.lists[0].watchers[0].uri, "sip:a@b");
    assert_eq!(info.lists.len(), 1);
}

#[test]
fn rows_that_cannot_be_merged_are_refused() {
    watcher_with("id='1' status='active' event='approved'").unwrap();
    for bad in [
        "status='active' event='approved'",
        "id='1' event='approved'",
        "id='1' status='active'",
        "id='1' status='Active' event='approved'",
        "id='1' status='active' event='invariant'",
        "id='1' status='active' event='approved' expiration='soon'",
        "id='1' status='active' event='approved' duration-subscribed='-1'",
    ] {
        assert!(watcher_with(bad).is_err(), "{bad}");
    }
}

#[test]
fn the_root_must_be_whole() {
    for bad in [
        "<watcherinfo version='0' state='full'/>",
        "<watcherinfo xmlns='urn:ietf:params:xml:ns:watcherinfo' state='full'/>",
        "<watcherinfo xmlns='urn:ietf:params:xml:ns:watcherinfo' version='0'/>",
        "<watcherinfo xmlns='urn:ietf:params:xml:ns:watcherinfo' version='0' state='most'/>",
        "<watcherinfo xmlns='urn:ietf:params:xml:ns:watcherinfo' version='-1' state='full'/>",
        "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:a@b'/>",
    ] {
        assert!(WatcherInfo::parse(bad.as_bytes()).is_err(), "{bad}");
    }
    assert!(WatcherInfo::parse(document("<watcher-list package='presence'/>").as_bytes()).is_err());
}

#[test]
fn a_duration_beyond_our_range_is_the_longest_we_know() {
    let info =
        watcher_with("id='1' status='active' event='approved' expiration='18446744073709551615'");
    assert_eq!(info.unwrap().lists[0].watchers[0].expiration, Some(u32::MAX));
}

#[test]
fn a_thousand_watchers_fit() {
    let row = |id| WatcherRef {
        id,
        uri: "sip:a-watcher-with-a-long-name@a-long-domain.example.org",
        status: Status::Active,
        event: Cause::Approved,
        display_name: Some("A watcher with a long name"),
        expiration: Some(86_400),
        duration: Some(86_400),
    };
    let ids: Vec<String> = (0..1000).map(|n| format!("watcher-{n}")).collect();
    let rows = ids.iter().map(|id| row(id));
    let info = WatcherInfo::parse(&write_document(1, true, "sip:x@y", "presence", rows)).unwrap();
    assert_eq!(info.lists[0].watchers.len(), 1000);
}

#[test]
fn causes_are_read_by_the_word_they_are_written_with() {
    for cause in Cause::ALL {
        assert_eq!(Cause::read(cause.as_str()), Some(cause));
    }
    assert_eq!(Cause::read("invariant"), None);
}

fn any_watcher() -> impl Strategy<Value = Watcher> {
    let words = ("[!-~]{1,8}", "[a-z:@.&<>\"']{0,12}", option::of("[\\PC\t\n]{0,8}"));
    let states =
        (proptest::sample::select(&Status::ALL[..]), proptest::sample::select(&Cause::ALL[..]));
    (words, states, any::<(Option<u32>, Option<u32>)>()).prop_map(
        |((id, uri, name), (status, event), (expiration, duration))| Watcher {
            id: id.into(),
            uri: uri.into(),
            status,
            event,
            display_name: name.map(Box::from),
            expiration,
            duration,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_written_reads_back(
        (version, full) in any::<(u32, bool)>(),
        lists in vec(("[!-~]{1,12}", vec(any_watcher(), 0..4)), 0..3),
    ) {
        let list = |(resource, watchers): (String, _)| WatcherList {
            resource: resource.into(),
            package: "presence".into(),
            watchers,
        };
        let info = WatcherInfo { version, full, lists: lists.into_iter().map(list).collect() };
        prop_assert_eq!(WatcherInfo::parse(&info.write()).unwrap(), info);
    }
}
