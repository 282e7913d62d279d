use super::*;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

fn put(key: &str, value: &str) -> Row {
    Row { key: key.into(), value: Some(value.into()) }
}

fn delete(key: &str) -> Row {
    Row { key: key.into(), value: None }
}

fn rows(store: &impl Store) -> BTreeMap<String, String> {
    let mut rows = BTreeMap::new();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    store
        .load(&mut |key, value| {
            rows.insert(text(key), text(value));
            Ok(())
        })
        .unwrap();
    rows
}

fn table<const N: usize>(rows: [(&str, &str); N]) -> BTreeMap<String, String> {
    rows.map(|(key, value)| (key.into(), value.into())).into()
}

/// What every store has to do.
async fn keeps_rows(store: &impl Store) {
    store.commit(vec![put("a", "1"), put("b", "2"), put("c", "3")]).await.unwrap();
    store.commit(vec![put("a", "4"), delete("b")]).await.unwrap();
    store.commit(vec![put("d", "5"), delete("d"), delete("c"), put("c", "6")]).await.unwrap();
    store.commit(vec![]).await.unwrap();
    assert_eq!(rows(store), table([("a", "4"), ("c", "6")]));
}

#[tokio::test]
async fn memory_keeps_rows() {
    keeps_rows(&MemoryStore::new().unwrap()).await;
}

#[tokio::test]
async fn a_folder_keeps_rows_and_its_secret_over_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made/on/demand");
    let store = DiskStore::open(&path).unwrap();
    let secret = store.secret();
    assert_eq!(store.boot(), 1);
    keeps_rows(&store).await;
    drop(store);
    for boot in 2..5 {
        let store = DiskStore::open(&path).unwrap();
        assert_eq!(rows(&store), table([("a", "4"), ("c", "6")]));
        assert!(store.secret() == secret, "the secret is part of the data");
        assert_eq!(store.boot(), boot);
    }
}

#[tokio::test]
async fn two_folders_have_two_secrets() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (a, b) = (DiskStore::open(a.path()).unwrap(), DiskStore::open(b.path()).unwrap());
    assert!(a.secret() != b.secret());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_shards_commit_at_once_and_all_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = std::sync::Arc::new(DiskStore::open(folder.path()).unwrap());
    let shards: Vec<_> = (0..8)
        .map(|shard| {
            let store = store.clone();
            tokio::spawn(async move {
                for n in 0..20 {
                    store.commit(vec![put(&format!("{shard}/{n}"), "x")]).await.unwrap();
                }
            })
        })
        .collect();
    for shard in shards {
        shard.await.unwrap();
    }
    drop(store);
    assert_eq!(rows(&DiskStore::open(folder.path()).unwrap()).len(), 160);
}

fn refusal(folder: &Path) -> String {
    let error = DiskStore::open(folder).expect_err("it must not open").to_string();
    let start = format!("cannot use the data folder {}: ", folder.display());
    error.strip_prefix(&start).unwrap_or_else(|| panic!("{error}")).to_owned()
}

#[tokio::test]
async fn a_folder_serves_one_server_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = DiskStore::open(folder.path()).unwrap();
    assert_eq!(refusal(folder.path()), "another server is using it");
    drop(first);
    DiskStore::open(folder.path()).unwrap();
}

#[tokio::test]
async fn a_folder_of_somebody_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.txt"), "years of work").unwrap();
    assert_eq!(refusal(folder.path()), "it holds files that are not Presently's");
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(left, [folder.path().join("thesis.txt")]);
}

#[tokio::test]
async fn a_folder_that_cannot_be_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(refusal(&file.join("data")).starts_with("Not a directory"));
    assert!(refusal(&file).starts_with("File exists"));
}

#[tokio::test]
async fn another_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(DiskStore::open(folder.path()).unwrap());
    fs::write(folder.path().join("PRESENTLY"), "presently store 2\n").unwrap();
    assert_eq!(refusal(folder.path()), "it was written by another version");
}

#[tokio::test]
async fn damaged_rows_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(DiskStore::open(folder.path()).unwrap());
    fs::write(folder.path().join("rows/version"), "nonsense").unwrap();
    assert!(refusal(folder.path()).starts_with("its rows are damaged"));
}

#[tokio::test]
async fn a_lost_journal_is_not_an_empty_store() {
    let folder = tempfile::tempdir().unwrap();
    drop(DiskStore::open(folder.path()).unwrap());
    fs::write(folder.path().join("rows/0.jnl"), "").unwrap();
    assert_eq!(refusal(folder.path()), "its rows are damaged (the secret is missing)");
}

#[tokio::test]
async fn a_start_that_died_half_way_is_begun_again() {
    let folder = tempfile::tempdir().unwrap();
    for left in ["lock", "PRESENTLY.new"] {
        fs::write(folder.path().join(left), "").unwrap();
    }
    let store = DiskStore::open(folder.path()).unwrap();
    store.commit(vec![put("a", "1")]).await.unwrap();
    drop(store);

    fs::write(folder.path().join("PRESENTLY"), "presently store 1, being made\n").unwrap();
    fs::remove_file(folder.path().join("rows/version")).unwrap();
    let store = DiskStore::open(folder.path()).unwrap();
    assert!(rows(&store).is_empty(), "what was never finished was never acknowledged");
}

#[tokio::test(start_paused = true)]
async fn a_crash_loses_the_unsynced_tail_and_keeps_the_rest() {
    let store = MemoryStore::new().unwrap();
    store.commit(vec![put("a", "1")]).await.unwrap();
    store.hold();
    let mut commits = Vec::new();
    for n in 2..5 {
        let writer = store.clone();
        commits.push(tokio::spawn(async move {
            writer.commit(vec![put(&format!("row{n}"), "x")]).await
        }));
        crate::testing::until(|| store.commits() == (n, 1)).await;
    }
    assert_eq!(rows(&store), table([("a", "1")]), "nothing unsynced is seen");

    store.crash(1);
    store.release();
    for commit in commits {
        let error = commit.await.unwrap().expect_err("power was lost");
        assert_eq!(error.to_string(), "simulated disk: power was lost before the sync");
    }
    assert_eq!(rows(&store), table([("a", "1"), ("row2", "x")]));
    assert_eq!(store.boot(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_disk_can_be_slow_and_full() {
    let store = MemoryStore::new().unwrap();
    store.delay(Duration::from_millis(80));
    let begun = tokio::time::Instant::now();
    store.commit(vec![put("a", "1")]).await.unwrap();
    assert_eq!(begun.elapsed(), Duration::from_millis(80));
    store.fail(Some(io::ErrorKind::StorageFull));
    let error = store.commit(vec![put("b", "1")]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    store.fail(None);
    store.commit(vec![put("c", "1")]).await.unwrap();
    assert_eq!(rows(&store), table([("a", "1"), ("c", "1")]));
}
