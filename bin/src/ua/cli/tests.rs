use super::*;
use clap::CommandFactory;

fn cli(arguments: &[&str]) -> Cli {
    let base = ["presence-ua", "--aor", "sip:alice@example.org", "--server", "127.0.0.1:5060"];
    Cli::try_parse_from(base.iter().chain(arguments)).expect("arguments")
}

fn refused(arguments: &[&str], environment: Option<&str>) -> String {
    let failure = Settings::gather(&cli(arguments), environment.map(str::to_owned));
    let failure = failure.expect_err("was accepted");
    assert_eq!(failure.code(), 2);
    failure.to_string()
}

#[test]
fn the_command_line_is_sound_and_its_help_names_every_command() {
    Cli::command().debug_assert();
    let help = Cli::command().render_long_help().to_string();
    for line in order::HELP {
        assert!(help.contains(line), "{line}");
    }
    for flag in ["--aor", "--server", "--bind", "--password-file", "--json", "--audio-in"] {
        assert!(help.contains(flag), "{flag}");
    }
    for flag in ["--paper", "--paper-offers", "NO\n  authentication and NO encryption"] {
        assert!(help.contains(flag), "{flag}");
    }
}

#[test]
fn the_paper_profile_is_off_and_says_what_it_lacks_when_it_is_on() -> Result<(), Failure> {
    let gather = |more: &[&str]| Settings::gather(&cli(more), Some("x".to_owned()));
    let usual = gather(&[])?;
    assert_eq!((&usual.direct, usual.warning()), (&DirectPolicy::default(), None));
    let bob = gather(&["--paper", "sip:bob@example.org", "--paper", "sip:carol@example.org"])?;
    assert!(bob.direct.paper.len() == 2 && !bob.direct.paper_offers);
    assert_eq!(
        bob.warning().as_deref(),
        Some(
            "paper profile: direct media with sip:bob@example.org, sip:carol@example.org has no \
             authentication and no encryption; for closed networks only"
        )
    );
    let offers = gather(&["--paper-offers"])?;
    assert!(offers.direct.paper_offers && offers.warning().is_some());
    let line = refused(&["--paper", "bob"], Some("x"));
    assert_eq!(line, "--paper \"bob\": must be an address like sip:bob@example.org");
    Ok(())
}

#[test]
fn the_password_is_the_first_line_of_the_file_or_the_environment() -> Result<(), Failure> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("password");
    std::fs::write(&file, "wonderland\nsecond line\n").expect("written");
    let settings = Settings::gather(&cli(&["--password-file", &file.to_string_lossy()]), None)?;
    assert_eq!(&*settings.password, "wonderland");
    let settings = Settings::gather(&cli(&["--json"]), Some("rabbit".to_owned()))?;
    assert_eq!((&*settings.password, settings.json), ("rabbit", true));
    Ok(())
}

#[test]
fn without_a_password_the_remedy_is_named() {
    let line = refused(&[], None);
    assert!(line.contains("--password-file") && line.contains("PRESENCE_PASSWORD"), "{line}");
    let line = refused(&["--password-file", "/no/such/file"], Some("x"));
    assert!(line.starts_with("--password-file /no/such/file: cannot be read: "), "{line}");
}

#[test]
fn wrong_values_are_named_with_what_is_allowed() {
    assert_eq!(
        refused(&["--audio-in", "hw:0"], Some("x")),
        "--audio-in \"hw:0\": must be tone[:HZ] (20 to 4000), wav:FILE of a file that can be \
         read, sound[:CARD] in a build with feature sound, or null"
    );
    assert!(refused(&["--bind", "here"], Some("x")).starts_with("--bind \"here\": must be"));
    let base = ["presence-ua", "--aor", "alice", "--server", "127.0.0.1:5060"];
    let cli = Cli::try_parse_from(base).expect("arguments");
    let failure = Settings::gather(&cli, Some("x".to_owned())).expect_err("no address");
    assert_eq!(
        failure.to_string(),
        "--aor \"alice\": must be an address like sip:alice@example.org"
    );
}
