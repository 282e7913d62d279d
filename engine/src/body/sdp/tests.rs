use super::*;

/// What Linphone sends, shortened.
const PHONE: &str = "v=0\r\n\
    o=alice 1234 2 IN IP4 192.0.2.1\r\n\
    s=Talk\r\n\
    c=IN IP4 192.0.2.1\r\n\
    t=0 0\r\n\
    a=sendonly\r\n\
    m=audio 7078 RTP/AVP 96 0 8 101 77\r\n\
    a=rtpmap:96 opus/48000/2\r\n\
    a=fmtp:96 useinbandfec=1\r\n\
    a=rtpmap:101 telephone-event/8000/1\r\n\
    a=fmtp:101 0-15\r\n\
    a=ptime:20\r\n\
    a=rtcp-mux\r\n\
    m=video 0 RTP/SAVP 26\r\n\
    c=IN IP6 2001:db8::1\r\n\
    a=recvonly\r\n\
    a=crypto:1 AES_256_CM_HMAC_SHA1_80 inline:AAAA\r\n\
    a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB|2^20\r\n\
    m=message 2855 TCP/MSRP *\r\n";

fn phone() -> Description {
    Description::parse(PHONE.as_bytes()).expect("a session description")
}

#[test]
fn a_phone_is_understood() {
    let description = phone();
    assert_eq!(&*description.origin.username, "alice");
    assert_eq!(description.origin.version, 2);
    let [audio, video, message] = &*description.streams else { panic!("{description:?}") };
    assert_eq!(audio.rtp(), Some("192.0.2.1:7078".parse().expect("an address")));
    let names: Vec<&str> = audio.codecs.iter().map(|codec| &*codec.rtpmap).collect();
    // 77 has no name and no meaning.
    assert_eq!(names, ["opus/48000/2", "PCMU/8000", "PCMA/8000", "telephone-event/8000"]);
    assert_eq!(audio.codecs[0].fmtp.as_deref(), Some("useinbandfec=1"));
    assert_eq!((audio.ptime, audio.rtcp_mux), (Some(20), true));
    assert_eq!(audio.direction, Direction::SendOnly, "the session's, for want of its own");
    assert_eq!(video.direction, Direction::RecvOnly);
    assert_eq!(video.rtp(), None, "port 0 is a stream that is refused");
    assert_eq!(video.crypto, [Crypto { tag: 2, key: [1; 30] }]);
    assert!(!message.is_rtp() && message.codecs.is_empty());
    assert_eq!(&*message.formats, "*");
}

#[test]
fn what_is_written_reads_the_same() {
    let mut description = phone();
    description.streams[1].port = 5000;
    for stream in &mut description.streams {
        let of_rtp = stream.codecs.iter().map(|codec| codec.pt.to_string()).collect::<Vec<_>>();
        if stream.is_rtp() {
            stream.formats = of_rtp.join(" ").into();
        }
    }
    assert_eq!(Description::parse(&description.write()), Ok(description));
}

#[test]
fn zeros_are_hold_as_it_once_was() {
    let text = PHONE.replace("IN IP4 192.0.2.1", "IN IP4 0.0.0.0");
    let description = Description::parse(text.as_bytes()).expect("a session description");
    assert_eq!(description.streams[0].rtp(), None);
}

#[test]
fn nonsense_is_answered_with_its_line() {
    let refused = |text: &str| match Description::parse(text.as_bytes()) {
        Ok(description) => panic!("{description:?}"),
        Err(why) => why.to_string(),
    };
    assert!(refused("hello").contains("line 1"), "{}", refused("hello"));
    let port = PHONE.replace("audio 7078", "audio seventy");
    assert!(refused(&port).contains("line 7"), "{}", refused(&port));
    let pt = PHONE.replace("RTP/AVP 96 0", "RTP/AVP 196 0");
    assert_eq!(refused(&pt), "`196` is no payload type of RTP");
    let long = format!("{PHONE}{}", "a=x\r\n".repeat(4000));
    assert_eq!(refused(&long), "a session description of more than 16 KiB");
}

/// Found by fuzzing: what is written of a refused stream reads the same from then on.
#[test]
fn a_refused_stream_keeps_the_formats_that_were_asked_for() {
    let text = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
                m=audio 0 RTP/AVP 96 0 101\r\na=rtpmap:96 opus/48000/2\r\n";
    let first = Description::parse(text.as_bytes()).expect("a description");
    let again = Description::parse(&first.write()).expect("ours");
    assert_eq!(&*again.streams[0].formats, "96 0 101");
    assert_eq!(Description::parse(&again.write()), Ok(again));
}
