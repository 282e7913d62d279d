//! What an operator looks at: `/healthz`, `/metrics`, `/tables.json` (HTTP, read only).
//!
//! There is no authentication here: it belongs on an address that only the operator reaches.
//! Tables show who watches whom, never a password, a credential or a media token.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Json};
use axum::routing::get;
use presently_engine::server::{Server, Tables};
use presently_net::Service;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Sizes of everything in one shard that can grow.
type Sizes = Vec<(&'static str, usize)>;

/// Answers operators until the listener fails.
pub(crate) async fn serve(listener: TcpListener, service: Arc<Service>) {
    let pages = axum::Router::new()
        .route("/healthz", get(healthz))
        .route("/metrics", get(metrics))
        .route("/tables.json", get(tables))
        .with_state(service);
    if let Err(error) = axum::serve(listener, pages).await {
        tracing::error!("admin has stopped: {error}");
    }
}

/// Healthy is who still answers in every shard.
async fn healthz(State(service): State<Arc<Service>>) -> impl IntoResponse {
    match service.inspect(|_, _| ()).await.is_empty() {
        false => (StatusCode::OK, "ok\n"),
        true => (StatusCode::SERVICE_UNAVAILABLE, "stopped\n"),
    }
}

async fn metrics(State(service): State<Arc<Service>>) -> impl IntoResponse {
    let sizes = service.inspect(|server: &Server, _| server.sizes()).await;
    let text = service.metrics().to_prometheus() + &prometheus(&sizes);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}

async fn tables(State(service): State<Arc<Service>>) -> Json<Tables> {
    Json(merge(service.inspect(|server: &Server, now| server.tables(now)).await))
}

/// The tables of all shards as one.
fn merge(shards: Vec<Tables>) -> Tables {
    shards.into_iter().fold(Tables::default(), |mut all, shard| {
        all.pit.extend(shard.pit);
        all.pst.extend(shard.pst);
        all.wt.extend(shard.wt);
        all.wst.extend(shard.wst);
        all
    })
}

/// Sizes, summed over the shards, in Prometheus' text format.
fn prometheus(shards: &[Sizes]) -> String {
    const NAME: &str = "presently_size";
    let mut sums: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, size) in shards.iter().flatten() {
        *sums.entry(name).or_default() += size;
    }
    let mut text = format!(
        "# HELP {NAME} How much there is of everything that can grow.\n# TYPE {NAME} gauge\n"
    );
    for (name, size) in sums {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{NAME}{{of=\"{name}\"}} {size}");
    }
    let shards = shards.len();
    let _ = writeln!(
        text,
        "# HELP presently_shards Shards that answer.\n# TYPE presently_shards gauge\n\
         presently_shards {shards}"
    );
    text
}

#[cfg(test)]
mod tests;
