use super::*;

fn from_text(text: &str) -> Result<Settings, Failure> {
    let mut sheet = Source { name: "p.toml", text }.sheet()?;
    let written = Written::from_sheet(&mut sheet, Path::new("/etc/presently"))?;
    sheet.finish()?;
    written.settle()
}

fn refusal(text: &str) -> String {
    let failure = from_text(text).expect_err("the settings are wrong");
    assert_eq!(failure.code(), 2);
    assert_eq!(failure.to_string().lines().count(), 1);
    failure.to_string()
}

#[test]
fn without_a_word_it_is_a_local_server_with_data() -> Result<(), Failure> {
    let settings = Settings::gather(&Flags::default())?;
    assert_eq!(&*settings.domain, "localhost");
    assert_eq!(settings.listen, [Listen(SocketAddr::from(([127, 0, 0, 1], 5060)))]);
    assert_eq!(settings.storage, Storage::Folder(PathBuf::from("presence-data")));
    assert_eq!(settings.notify_gap, Duration::from_secs(5));
    assert_eq!(settings.default_policy, Handling::Confirm);
    assert!(settings.nonces.md5);
    assert!(!settings.insecure_no_auth && settings.users.is_none() && settings.admin.is_none());
    Ok(())
}

#[test]
fn every_flag_has_a_key() -> Result<(), Failure> {
    let settings = from_text(
        "domain = \"Example.org\"\nlisten = [\"udp:127.0.0.1:0\", \"udp:[::1]:0\"]\n\
         users = \"users.toml\"\ndata = \"/var/lib/p\"\nmemory = false\n\
         default_policy = \"block\"\nnotify_gap = 0\nadmin = \"127.0.0.1:0\"\n\
         insecure_no_auth = true\ndemo = false\nadvertise = \"sip.example.org\"\n\
         record_route = true\nlegacy_cpim = false\nlegacy_cpim_elements = true\nshards = 3\n[digest]\nmd5 = false",
    )?;
    assert_eq!(&*settings.domain, "example.org");
    assert_eq!(settings.listen.len(), 2);
    assert_eq!(settings.users.as_deref(), Some(Path::new("/etc/presently/users.toml")));
    assert_eq!(settings.storage, Storage::Folder(PathBuf::from("/var/lib/p")));
    assert_eq!(settings.default_policy, Handling::Block);
    assert_eq!(settings.notify_gap, Duration::ZERO);
    assert_eq!(settings.admin, Some(SocketAddr::from(([127, 0, 0, 1], 0))));
    assert_eq!(settings.advertise.as_deref(), Some("sip.example.org"));
    assert_eq!(settings.shards, 3);
    assert!(settings.insecure_no_auth && settings.record_route);
    assert!(!settings.legacy_cpim && !settings.nonces.md5 && !settings.demo);
    assert!(settings.legacy_cpim_elements);
    Ok(())
}

#[test]
fn a_flag_wins_over_the_key() -> Result<(), Failure> {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("p.toml");
    std::fs::write(&config, "domain = \"a.org\"\ndata = \"d\"\nnotify_gap = 7").expect("written");
    let flags = Flags {
        config: Some(config),
        domain: Some("b.org".to_owned()),
        memory: true,
        ..Flags::default()
    };
    let settings = Settings::gather(&flags)?;
    assert_eq!(&*settings.domain, "b.org");
    assert_eq!(settings.storage, Storage::Memory);
    assert_eq!(settings.notify_gap, Duration::from_secs(7));
    Ok(())
}

#[test]
fn a_wrong_flag_is_named_with_its_value_and_what_is_allowed() {
    let refused = |flags: Flags| Settings::gather(&flags).expect_err("wrong").to_string();
    assert_eq!(
        refused(Flags { notify_gap: Some("soon".to_owned()), ..Flags::default() }),
        "--notify-gap \"soon\": must be a whole number of seconds from 0 to 3600"
    );
    assert_eq!(
        refused(Flags { listen: vec!["tcp:127.0.0.1:5060".to_owned()], ..Flags::default() }),
        "--listen \"tcp:127.0.0.1:5060\": must be udp:HOST:PORT with a host of this machine, \
         for example udp:127.0.0.1:5060"
    );
    assert_eq!(
        refused(Flags { default_policy: Some("deny".to_owned()), ..Flags::default() }),
        "--default-policy \"deny\": must be confirm, allow or block"
    );
    let missing = refused(Flags { config: Some("/nowhere/p.toml".into()), ..Flags::default() });
    assert!(missing.starts_with("--config /nowhere/p.toml: cannot be read: "), "{missing}");
}

#[test]
fn a_wrong_key_is_named_with_its_value_and_what_is_allowed() {
    assert_eq!(
        refusal("default_policy = \"deny\""),
        "p.toml:1:18: default_policy = \"deny\": must be confirm, allow or block"
    );
    assert_eq!(
        refusal("notify_gpa = 3"),
        "p.toml:1:1: unknown key notify_gpa; did you mean notify_gap?"
    );
    assert_eq!(
        refusal("memory = true\ndata = \"d\""),
        "p.toml:1:10: memory = true: cannot be combined with data; keep one of the two"
    );
    assert!(refusal("listen = []").starts_with("listen = []: must name udp:HOST:PORT"));
    assert_eq!(
        refusal("[limits]\nsub_min = 0"),
        "p.toml:2:11: limits.sub_min = \"0\": must be a whole number of seconds \
         from 1 to 315360000"
    );
    assert_eq!(
        refusal("[timing]\nt3_ms = 1"),
        "p.toml:2:1: unknown key timing.t3_ms; did you mean timing.t1_ms?"
    );
}

#[test]
fn without_authentication_only_loopback_may_listen() {
    assert_eq!(
        refusal("insecure_no_auth = true\nlisten = \"udp:0.0.0.0:5060\""),
        "insecure_no_auth = true: allowed only when every listener is loopback, \
         and udp:0.0.0.0:5060 is not"
    );
}

#[test]
fn the_demo_isolates_itself_unless_told_otherwise() -> Result<(), Failure> {
    let settings = from_text("demo = true")?;
    assert_eq!(settings.storage, Storage::Memory);
    assert_eq!(settings.notify_gap, Duration::ZERO);
    assert!(settings.listen_may_move);
    let settings = from_text("demo = true\ndata = \"/d\"\nlisten = \"udp:127.0.0.1:0\"")?;
    assert_eq!(settings.storage, Storage::Folder(PathBuf::from("/d")));
    assert!(!settings.listen_may_move);
    assert!(refusal("demo = true\nusers = \"u.toml\"").starts_with("demo = true: "));
    Ok(())
}

#[test]
fn expiries_follow_their_bounds_and_may_not_contradict_them() -> Result<(), Failure> {
    let limits = from_text("[limits]\nsub_min = 1\nsub_max = 10\nreg_min = 2")?.limits;
    assert_eq!((limits.sub_min, limits.sub_default, limits.sub_max), (1, 10, 10));
    assert_eq!((limits.reg_min, limits.reg_default, limits.reg_max), (2, 3600, 7200));
    assert_eq!(
        refusal("[limits]\npub_min = 30\npub_max = 20"),
        "p.toml:1:1: limits.pub_min = 30: must be at most limits.pub_max (20)"
    );
    assert_eq!(
        refusal("[limits]\npub_max = 100\npub_default = 101"),
        "p.toml:3:15: limits.pub_default = \"101\": must be a number of seconds from 60 to 100"
    );
    Ok(())
}

#[test]
fn a_forwarded_message_waits_sixteen_times_t1_unless_told_otherwise() -> Result<(), Failure> {
    let quick = from_text("[timing]\nt1_ms = 10")?;
    assert_eq!(quick.limits.msg_branch_timeout, Duration::from_millis(160));
    let told = from_text("[timing]\nt1_ms = 10\n[limits]\nmsg_branch_timeout_ms = 500")?;
    assert_eq!(told.limits.msg_branch_timeout, Duration::from_millis(500));
    Ok(())
}
