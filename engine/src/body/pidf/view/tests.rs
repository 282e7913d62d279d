use super::super::tests::{PUBLICATION, any_document, read};
use super::super::{Basic, Format, Mode};
use super::*;
use proptest::prelude::*;

fn alice() -> Aor {
    Aor::parse("sip:alice@example.org").unwrap()
}

fn written(document: &Pidf) -> String {
    String::from_utf8(document.write(Format::Pidf).to_vec()).unwrap()
}

#[test]
fn an_allowed_watcher_gets_its_own_access_instead_of_the_secret() {
    let document = read(PUBLICATION);
    let view = document.for_watcher(&alice(), true, |id| {
        assert_eq!(id, "bob-desk-audio");
        60
    });
    let offer = view.tuples[0].offer.as_ref().expect("an offer");
    assert_eq!((offer.mode, &offer.secret), (Mode::Ready, &None));
    assert!(written(&view).contains(
        "<dm:access epoch=\"5\" key-id=\"4UcYhXYAxp5T\" expires=\"540\">\
         MGAd3myZURR-0Yaz8anE2w</dm:access>"
    ));
    let carol = document.for_watcher(&Aor::parse("sip:carol@example.org").unwrap(), true, |_| 60);
    assert_ne!(carol.tuples[0].offer, view.tuples[0].offer);
}

#[test]
fn without_direct_permission_nothing_shows_that_there_was_an_offer() {
    let document = read(PUBLICATION);
    let view = document.for_watcher(&alice(), false, |_| 0);
    let start = PUBLICATION.find("<dm:direct-media").unwrap();
    let end = PUBLICATION.find("</dm:direct-media>").unwrap() + "</dm:direct-media>".len();
    let never = [&PUBLICATION[..start], &PUBLICATION[end..]].concat();
    assert_eq!(written(&view), written(&read(&never)));
}

#[test]
fn readiness_whose_access_has_ended_is_shown_as_off() {
    let ended = read(PUBLICATION).for_watcher(&alice(), true, |_| 600);
    let offer = ended.tuples[0].offer.as_ref().expect("an offer");
    assert_eq!((offer.mode, &offer.access), (Mode::Off, &None));
}

/// The paper's form (§6.10): whether that is an offer is the watcher's to judge, but no other
/// watcher gets to see it either.
#[test]
fn what_was_published_without_a_secret_is_shown_as_it_is_to_who_may_see_offers() {
    let mut bare = read(PUBLICATION);
    bare.tuples[0].offer.as_mut().unwrap().secret = None;
    let view = bare.for_watcher(&alice(), true, |_| 6000);
    let offer = view.tuples[0].offer.as_ref().expect("an offer");
    assert_eq!((offer.mode, &offer.access), (Mode::Ready, &None));
    assert!(!bare.for_watcher(&alice(), false, |_| 0).has_offer());
    bare.tuples[0].basic = Some(Basic::Closed);
    let view = bare.for_watcher(&alice(), true, |_| 0);
    assert_eq!(view.tuples[0].offer.as_ref().map(|offer| offer.mode), Some(Mode::Off));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// P3: the secret of a presentity occurs in no document for a watcher.
    #[test]
    fn no_view_holds_a_secret(document in any_document(), direct: bool, age in 0u32..1000) {
        let view = document.for_watcher(&alice(), direct, |_| age);
        prop_assert!(!written(&view).contains("mI2lqkZ0"));
        prop_assert!(direct || !view.has_offer());
        for (tuple, original) in view.tuples.iter().zip(&document.tuples) {
            let Some(offer) = &tuple.offer else { continue };
            let secret = original.offer.as_ref().and_then(|offer| offer.secret.as_ref());
            prop_assert!(offer.access.is_none() || secret.is_some());
            prop_assert!(
                offer.mode != Mode::Ready || offer.access.is_some() || original.is_in_paper_form()
            );
        }
    }
}
