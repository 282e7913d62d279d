use super::*;

const TEXT: &str = "\
Table of Contents
   1.  Introduction . . . . . . . . . . . . . . . .  3
1.  Introduction

   A notifier MUST speak.  It SHOULD be kind, and MUST
   NOT shout.
Roach                        Standards Track                    [Page 28]
\u{c}
RFC 6665                       SIP-Specific Events              July 2012

7 is a number at the margin, and this is REQUIRED.
1.1.  Silence

   RECOMMENDED.  MUSTARD is not.
2.  Empty
Appendix A. Afterthoughts
   It SHALL end.
";

#[test]
fn keywords_are_counted_by_section() {
    let counts = count(TEXT);
    let expected = [("1", (3, 1)), ("1.1", (0, 1)), ("A", (1, 0))];
    assert_eq!(counts, expected.map(|(name, sums)| (name.to_owned(), sums)).into());
}
