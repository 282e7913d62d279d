//! Doctored documents and messages.

use crate::oracle::rig::*;

#[test]
fn a_timestamp_that_falls_is_found() {
    let (plan, mut record) = played();
    let told = *datagrams(&record, &["NOTIFY sip:alice", "<note>n2</note>"]).last().expect("n2");
    edit(&mut record, told, "<timestamp>2026", "<timestamp>2025");
    assert_eq!(broken(&plan, &record), ["P34"]);
}

#[test]
fn a_tuple_that_comes_twice_is_found() {
    let (plan, mut record) = played();
    let told = datagrams(&record, &["NOTIFY sip:alice", "<note>n2</note>"])[0];
    let text = text(&record.entries[told]).expect("a NOTIFY");
    let from = text.find("<tuple").expect("a tuple");
    let to = text.find("</tuple>").expect("its end") + "</tuple>".len();
    let tuple = text[from..to].to_owned();
    edit(&mut record, told, &tuple, &tuple.repeat(2));
    assert_eq!(broken(&plan, &record), ["P44"]);
}

#[test]
fn a_document_about_somebody_else_is_found() {
    let (plan, mut record) = played();
    let told = datagrams(&record, &["NOTIFY sip:alice", "<note>n2</note>"])[0];
    edit(&mut record, told, "entity=\"sip:bob@", "entity=\"sip:carol@");
    assert_eq!(broken(&plan, &record), ["P44"]);
}

#[test]
fn a_message_that_is_altered_or_misled_is_found() {
    let (plan, mut record) = played();
    let forwarded = datagrams(&record, &["MESSAGE sip:bob@198"])[0];
    let mut misled = record.clone();
    edit(&mut misled, forwarded, "MESSAGE sip:bob@198.51.100", "MESSAGE sip:bob@203.0.113");
    assert_eq!(broken(&plan, &misled), ["P45"]);
    edit(&mut record, forwarded, "Max-Forwards: 69", "Max-Forwards: 70");
    assert_eq!(broken(&plan, &record), ["P45"]);
}
