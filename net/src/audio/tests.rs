use super::*;

#[test]
fn a_codec_is_found_by_the_words_of_rtpmap() {
    for (rtpmap, rate, clock_rate) in
        [("pcmu/8000", 8000, 8000), ("PCMA/8000/1", 8000, 8000), ("G722/8000", 16_000, 8000)]
    {
        let codec = codec(rtpmap).expect("a codec");
        assert_eq!((codec.rate(), codec.clock_rate()), (rate, clock_rate));
    }
    for unknown in ["PCMU/16000", "PCMU/8000/2", "telephone-event/8000", "speex/8000", ""] {
        assert!(codec(unknown).is_none(), "{unknown}");
    }
}

#[test]
fn whatever_is_listed_is_there_and_packs_twenty_milliseconds() {
    for rtpmap in RTPMAPS {
        let mut codec = codec(rtpmap).expect("a codec");
        let mut payload = Vec::new();
        codec.encode(&vec![0; tick_samples(codec.rate())], &mut payload);
        assert_eq!(codec.duration(&payload), codec.clock_rate() / 50, "{rtpmap}");
        let mut samples = Vec::new();
        codec.decode(&payload, &mut samples).expect("our own payload");
        assert_eq!(samples.len(), tick_samples(codec.rate()));
    }
}
