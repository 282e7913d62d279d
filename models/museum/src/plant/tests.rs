//! Planting, in a workspace of two files.

use super::*;
use crate::exhibit::Change;

/// A folder that goes away with its owner.
struct Ground(std::path::PathBuf);

impl Ground {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("museum-{name}-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("engine/src")).expect("a folder");
        std::fs::write(folder.join("engine/src/lib.rs"), "mod wall;\n").expect("a file");
        std::fs::write(folder.join("engine/src/wall.rs"), "one two three two").expect("a file");
        Self(folder)
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        // It lies among what is temporary anyway.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn exhibit(name: &str, from: &str, to: &str) -> Exhibit {
    let file = "engine/src/wall.rs".to_owned();
    let change = vec![Change { file, from: from.into(), to: to.into() }];
    Exhibit { name: name.into(), title: format!("about {name}"), change, ..Exhibit::default() }
}

#[test]
fn all_replacements_are_made_at_once_and_each_has_its_switch() {
    let ground = Ground::new("all");
    let exhibits = [exhibit("last", "three two", "3 2"), exhibit("first", "one", "1")];
    let planted = planted(&ground.0, &exhibits).expect("they fit");
    assert_eq!(planted["engine/src/wall.rs"], "1 two 3 2");
    assert!(planted["engine/src/lib.rs"].ends_with("pub mod museum;\n"));
    let switches = &planted[SWITCHES];
    assert!(switches.contains("&[\"last\", \"first\"]"), "{switches}");
    let first = "/// about first\npub fn first() -> bool {\n    on() == 1\n}\n";
    assert!(switches.contains(first), "{switches}");
}

#[test]
fn a_text_that_is_not_there_exactly_once_is_named() {
    let ground = Ground::new("once");
    let exhibits = [exhibit("twice", "two", "2"), exhibit("never", "four", "4")];
    let Unfit(why) = planted(&ground.0, &exhibits).expect_err("it does not fit");
    assert_eq!(
        why,
        "twice: this text occurs 2 times in engine/src/wall.rs, not once:\ntwo\n\
         never: this text occurs 0 times in engine/src/wall.rs, not once:\nfour"
    );
}

#[test]
fn two_exhibits_that_change_the_same_text_are_named() {
    let ground = Ground::new("same");
    let exhibits = [exhibit("long", "one two", "1"), exhibit("short", "two three", "2")];
    let Unfit(why) = planted(&ground.0, &exhibits).expect_err("they do not fit");
    assert_eq!(why, "long and short change the same text of engine/src/wall.rs");
}
