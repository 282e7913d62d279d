use super::{Reader, Writer, XmlError, XmlLimits, identity};
use proptest::prelude::*;

/// Reads a whole document, passing over everything inside its root.
fn admit(text: impl AsRef<[u8]>) -> Result<(), XmlError> {
    let (mut reader, _) = Reader::open(text.as_ref(), XmlLimits::default())?;
    reader.skip()?;
    reader.finish()
}

#[track_caller]
fn assert_refused(text: impl AsRef<[u8]>, line: u32, what: &str) {
    let fault = admit(text).expect_err("the document is refused");
    assert!(fault.what.contains(what), "{fault}");
    assert_eq!(fault.line, line, "{fault}");
}

/// The fragment of the first child of the root.
fn fragment(text: &str) -> Box<str> {
    let (mut reader, _) = Reader::open(text.as_bytes(), XmlLimits::default()).unwrap();
    let child = reader.child().unwrap().expect("a child");
    let fragment = reader.fragment(child, "urn:secret").unwrap();
    reader.skip().unwrap();
    reader.finish().unwrap();
    fragment
}

/// The text of the root.
fn text(document: &str) -> Result<String, XmlError> {
    let (mut reader, _) = Reader::open(document.as_bytes(), XmlLimits::default())?;
    let text = reader.text()?.into_owned();
    reader.finish()?;
    Ok(text)
}

#[test]
fn a_plain_document_with_all_its_trimmings_is_read() {
    let document = "\u{feff}<?xml version='1.0' encoding='utf-8' standalone='yes'?>\n\
        <!-- c --><?target data?>\n<a b = 'c'\td=\"e\"><b /><![CDATA[<x>]]>&lt;</a >\n<!-- d --> ";
    admit(document).unwrap();
}

#[test]
fn entities_bombs_and_document_types_are_refused() {
    assert_refused(
        "<!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;&lol;\">]>\n\
         <lolz>&lol2;</lolz>",
        1,
        "document type",
    );
    assert_refused("\n<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", 2, "document type");
    assert_refused("<a><!DOCTYPE a></a>", 1, "document type");
    assert_refused("<a>\n\n&xxe;</a>", 3, "not predefined");
    assert_refused("<a b='&nbsp;'/>", 1, "not predefined");
    assert_refused("<a>&</a>", 1, "reference");
    assert_refused("<a>& amp;</a>", 1, "not predefined");
    assert_refused("<a b='&amp'/>", 1, "does not end");
}

#[test]
fn character_references_name_only_characters_xml_allows() {
    assert_eq!(text("<a>&#65;&#x42;&#x1F600;&amp;&lt;&gt;&quot;&apos;</a>").unwrap(), "AB😀&<>\"'");
    for bad in ["&#0;", "&#x1;", "&#xFFFE;", "&#xD800;", "&#99999999999;", "&#;", "&#+65;", "&#x;"]
    {
        assert!(text(&format!("<a>{bad}</a>")).is_err(), "{bad}");
        assert!(admit(format!("<a b='{bad}'/>")).is_err(), "{bad}");
    }
}

#[test]
fn a_document_has_exactly_one_root() {
    assert_refused("", 1, "no root");
    assert_refused("<!-- only -->\n", 2, "no root");
    assert_refused("<a/>\n<b/>", 2, "more than one root");
    assert_refused("<a></a><a></a>", 1, "more than one root");
    assert_refused("<a/>text", 1, "text outside");
    assert_refused("text<a/>", 1, "text outside");
    assert_refused("<a/>&amp;", 1, "text outside");
    assert_refused("<a/><![CDATA[ ]]>", 1, "text outside");
    assert_refused("<a/></a>", 1, "");
    assert_refused("<a/>\n<?xml version='1.0'?>", 2, "very first");
    assert_refused(" <?xml version='1.0'?><a/>", 1, "very first");
}

#[test]
fn an_unclosed_element_is_refused() {
    assert_refused("<a>\n<b></b>\n", 3, "not closed");
    assert_refused("<a><b></a>", 1, "");
    assert_refused("<a", 1, "");
    assert_refused("<a></b>", 1, "");
    assert_refused("<a b='1></a>", 1, "");
}

#[test]
fn examples_with_slips_of_the_pen_are_refused_where_the_slip_is() {
    let presence = include_bytes!("../../../../tests/examples/xml/rfc4482-s4-01-presence.xml");
    let list = include_bytes!("../../../../tests/examples/xml/rfc4662-s6-01-list.xml");
    assert_refused(presence, 16, "");
    assert_refused(list, 7, "");
}

#[test]
fn prefixes_must_be_bound() {
    assert_refused("<p:a/>", 1, "not bound");
    assert_refused("<a p:b='1'/>", 1, "not bound");
    assert_refused("<a><p:b xmlns:p='urn:p'/>\n<p:c/></a>", 2, "not bound");
    assert_refused("<a xmlns:p=''/>", 1, "bound to nothing");
    assert_refused("<a xmlns:xml='urn:x'/>", 1, "reserved");
    assert_refused("<a xmlns:xmlns='urn:x'/>", 1, "reserved");
    assert_refused("<a xmlns:p='http://www.w3.org/2000/xmlns/'/>", 1, "reserved");
    assert_refused("<a xmlns:p='u' xmlns:p='v'/>", 1, "twice");
    admit("<a xml:lang='en' xmlns:xml='http://www.w3.org/XML/1998/namespace'/>").unwrap();
    admit("<a xmlns='urn:a'><b xmlns=''/></a>").unwrap();
}

#[test]
fn names_and_attributes_are_well_formed() {
    for tag in ["1a", "a:", ":a", "a:b:c", "-a", "a!", "xmlns:", "a b"] {
        assert!(admit(format!("<{tag}/>")).is_err(), "{tag}");
    }
    assert_refused("<a b='1' b='2'/>", 1, "given twice");
    assert_refused("<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>", 1, "given twice");
    assert_refused("<a b='1'c='2'/>", 1, "white space");
    assert_refused("<a b=1/>", 1, "quoted");
    assert_refused("<a b='<'/>", 1, "contains <");
    assert_refused("<a><?xMl x?></a>", 1, "instruction");
    assert_refused("<a><!-- -- --></a>", 1, "");
    assert_refused("<a>]]></a>", 1, "]]>");
}

#[test]
fn characters_and_encodings_other_than_utf_8_are_refused() {
    assert_refused(b"<a>\n\xff</a>", 2, "UTF-8");
    assert_refused(b"\xfe\xff\0<\0a", 1, "UTF-16");
    assert_refused("<a>\n\n\u{1}</a>", 3, "forbidden");
    assert_refused("<a>\0</a>", 1, "forbidden");
    assert_refused("<a>\u{ffff}</a>", 1, "forbidden");
    assert_refused("\u{feff}\u{feff}<a/>", 1, "byte order");
    assert_refused("<?xml version='1.0' encoding='ISO-8859-1'?><a/>", 1, "encoding ISO-8859-1");
    assert_refused("<?xml version='1.1'?><a/>", 1, "version 1.1");
    assert_refused("<?xml encoding='UTF-8'?><a/>", 1, "begin with the version");
    assert_refused("<?xml?><a/>", 1, "begin with the version");
    assert_refused("<?xml version='1.0' standalone='no' encoding='UTF-8'?><a/>", 1, "malformed");
}

#[test]
fn every_limit_holds() {
    let limits = XmlLimits::default();
    assert_refused(" ".repeat(limits.size + 1), 1, "too large");
    let deep = |levels: usize| "<a>".repeat(levels) + &"</a>".repeat(levels);
    admit(deep(limits.depth)).unwrap();
    assert_refused(deep(limits.depth + 1), 1, "too deeply");
    assert_refused(deep(8000), 1, "too deeply");
    assert_refused(format!("<a>{}</a>", "<b/>".repeat(limits.nodes)), 1, "too many elements");
    assert_refused(format!("<a>{}</a>", "<!---->".repeat(limits.nodes)), 1, "too many elements");
    let wide = |count: usize| {
        let attributes: String = (0..count).map(|n| format!(" a{n}='{n}'")).collect();
        format!("<a{attributes}/>")
    };
    admit(wide(limits.attributes)).unwrap();
    assert_refused(wide(limits.attributes + 1), 1, "too many attributes");
    assert_refused(wide(4000), 1, "too many attributes");
    admit(format!("<a>{}</a>", "&amp;".repeat(10_000))).unwrap();
}

#[test]
fn fragments_cannot_make_a_small_document_large() {
    let namespace = "n".repeat(20_000);
    let children = "<p:a/>".repeat(1000);
    let document = format!("<r xmlns:p='{namespace}'>{children}</r>");
    let (mut reader, _) = Reader::open(document.as_bytes(), XmlLimits::default()).unwrap();
    let mut captured = 0;
    let fault = loop {
        let child = reader.child().unwrap().expect("the limit comes before the end");
        match reader.fragment(child, "") {
            Ok(fragment) => captured += fragment.len(),
            Err(fault) => break fault,
        }
    };
    assert!(fault.what.contains("too large"), "{fault}");
    assert!(captured <= XmlLimits::default().size);
}

#[test]
fn line_ends_and_white_space_read_as_xml_says() {
    assert_eq!(text("<a>1\r\n2\r3\n<![CDATA[4\r\n]]></a>").unwrap(), "1\n2\n3\n4\n");
    let (reader, _) =
        Reader::open(b"<a b='1\r\n2\t3\n4&#10;5' c=''/>", XmlLimits::default()).unwrap();
    assert_eq!(reader.attribute("b"), Some("1 2 3 4\n5"));
    assert_eq!(reader.attribute("c"), Some(""));
    assert_eq!(reader.attribute("d"), None);
    assert!(reader.required("c").unwrap_err().what.contains("attribute c"));
}

#[test]
fn a_fragment_carries_the_namespaces_it_uses_and_no_others() {
    assert_eq!(
        &*fragment(
            "<r xmlns='urn:r' xmlns:p='urn:p' xmlns:q='urn:q' xmlns:unused='urn:u'>\
             <p:a z='1' q:y='2' b='&lt;&quot;&#10;'><p:b/><c>x &amp; y</c><!-- gone --></p:a></r>"
        ),
        "<p:a xmlns:p=\"urn:p\" xmlns:q=\"urn:q\" b=\"&lt;&quot;&#10;\" z=\"1\" q:y=\"2\">\
         <p:b/><c xmlns=\"urn:r\">x &amp; y</c></p:a>"
    );
    assert_eq!(&*fragment("<r><a><b xmlns='urn:b'><c xmlns=''/></b></a></r>"), {
        "<a xmlns=\"\"><b xmlns=\"urn:b\"><c xmlns=\"\"/></b></a>"
    });
}

#[test]
fn a_fragment_redeclares_a_prefix_that_changes_its_meaning() {
    assert_eq!(
        &*fragment("<r xmlns:p='u1'><p:a><p:b xmlns:p='u2'/><p:c/></p:a></r>"),
        "<p:a xmlns:p=\"u1\"><p:b xmlns:p=\"u2\"/><p:c/></p:a>"
    );
}

#[test]
fn equal_elements_give_equal_fragments_however_they_are_written() {
    let one = fragment("<r xmlns:p='urn:p'><p:a x='1' y=\"2\"><p:b></p:b>&#65;</p:a></r>");
    let other = fragment("<r><p:a y='2' x='1' xmlns:p='urn&#58;p'><p:b/><![CDATA[A]]></p:a></r>");
    assert_eq!(one, other);
    assert_eq!(fragment(&format!("<r xmlns:p='urn:other'>{one}</r>")), one);
}

#[test]
fn a_fragment_leaves_out_the_namespace_that_is_not_for_others() {
    assert_eq!(
        &*fragment("<r><a xmlns='urn:a'>1<s:x xmlns:s='urn:secret'><b>deep</b></s:x>2</a></r>"),
        "<a xmlns=\"urn:a\">12</a>"
    );
}

#[test]
fn the_identity_of_a_fragment_is_its_name_and_id() {
    let found = identity("<p:a xmlns:p=\"urn:p\" id=\"7\"><b/></p:a>").unwrap();
    assert_eq!(found, ("urn:p".into(), "a".into(), "7".into()));
    assert_eq!(identity("<p:a xmlns:p=\"urn:p\"/>"), None);
    assert_eq!(identity("no fragment"), None);
}

#[test]
fn what_xml_cannot_say_is_dropped_when_written() {
    let mut out = Writer::document(0);
    out.raw("<a").attribute("b", "\u{1}\t\r\n\"<&>\u{fffe}é").raw(">");
    out.text("\0\t\r\n\"<&>\u{ffff}\u{ef00}😀").raw("</a>");
    let written = out.finish();
    let (mut reader, _) = Reader::open(&written, XmlLimits::default()).unwrap();
    assert_eq!(reader.attribute("b"), Some("\t\r\n\"<&>é"));
    assert_eq!(reader.text().unwrap(), "\t\r\n\"<&>\u{ef00}😀");
    reader.finish().unwrap();
}

#[test]
fn numbers_are_written_in_decimal() {
    for number in [0, 7, 10, 4_294_967_295] {
        let mut out = Writer::document(0);
        out.number(number);
        assert!(out.finish().ends_with(format!("\n{number}").as_bytes()));
    }
}

/// Pieces that XML is made of, so that random documents come close to being right.
fn almost_xml() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<a>"),
        Just("</a>"),
        Just("<p:b xmlns:p='u'>"),
        Just("</p:b>"),
        Just("<c/>"),
        Just("<a b='1' c=\"&lt;\"/>"),
        Just("&amp;"),
        Just("&#x41;"),
        Just("&x;"),
        Just("text "),
        Just("<![CDATA[x]]>"),
        Just("<!-- c -->"),
        Just("<?pi x?>"),
        Just("<!DOCTYPE a>"),
        Just("<?xml version='1.0'?>"),
        Just("<"),
        Just(">"),
        Just("&"),
        Just("'"),
        Just("]]>"),
        Just("\r\n"),
        Just("é"),
        Just("\u{feff}"),
        Just("xmlns=''"),
        Just("<p:q/>"),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = admit(bytes);
    }

    #[test]
    fn no_almost_xml_makes_the_reader_panic(text in almost_xml()) {
        let _ = admit(&text);
        let _ = admit(format!("<r>{text}</r>"));
    }

    #[test]
    fn fragments_are_their_own_fragments(inner in almost_xml()) {
        let document = format!("<r xmlns:p='urn:p'><p:f x='1'>{inner}</p:f></r>");
        if admit(&document).is_ok() {
            let once = fragment(&document);
            prop_assert_eq!(fragment(&format!("<r xmlns='urn:other'>{once}</r>")), once);
        }
    }

    #[test]
    fn written_text_reads_back(text in "[\\PC\t\n\r<>&'\"]{0,40}") {
        let mut out = Writer::document(0);
        out.raw("<a").attribute("b", &text).raw(">").text(&text).raw("</a>");
        let written = out.finish();
        let (mut reader, _) = Reader::open(&written, XmlLimits::default()).unwrap();
        prop_assert_eq!(reader.attribute("b"), Some(&*text));
        prop_assert_eq!(reader.text().unwrap(), text);
    }
}
