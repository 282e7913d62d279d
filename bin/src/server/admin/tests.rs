use super::*;
use presently_engine::server::WatcherTableRow;

#[test]
fn sizes_of_all_shards_are_one_sum_in_prometheus_text() {
    let shards = [vec![("bindings", 2), ("accounts", 1)], vec![("bindings", 3), ("accounts", 0)]];
    assert_eq!(
        prometheus(&shards),
        "# HELP presently_size How much there is of everything that can grow.\n\
         # TYPE presently_size gauge\n\
         presently_size{of=\"accounts\"} 1\n\
         presently_size{of=\"bindings\"} 5\n\
         # HELP presently_shards Shards that answer.\n\
         # TYPE presently_shards gauge\n\
         presently_shards 2\n"
    );
}

#[test]
fn tables_of_all_shards_are_one_under_the_papers_names() {
    let row = |target: &str| WatcherTableRow {
        target: target.to_owned(),
        watcher: "sip:alice@example.org".to_owned(),
        id: "w1".to_owned(),
        status: "pending".to_owned(),
        event: "subscribe".to_owned(),
        display_name: String::new(),
        package: "presence".to_owned(),
    };
    let shard = |target| Tables { wt: vec![row(target)], ..Tables::default() };
    let merged = merge(vec![shard("sip:a@x"), shard("sip:b@x")]);
    let json = serde_json::to_value(merged).expect("tables are data");
    assert_eq!(json["WT"].as_array().map(Vec::len), Some(2));
    assert_eq!(json["WT"][1]["target"], "sip:b@x");
    assert_eq!(json["WT"][0]["display-name"], "");
    for empty in ["PIT", "PST", "WST"] {
        assert_eq!(json[empty], serde_json::json!([]), "{empty}");
    }
}
