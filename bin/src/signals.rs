//! Signals as messages.

use crate::failure::Failure;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// Every SIGTERM and SIGINT from now on.
pub(crate) fn endings() -> Result<mpsc::Receiver<()>, Failure> {
    let kinds = [SignalKind::terminate(), SignalKind::interrupt()];
    listen(&kinds)
}

/// Every SIGHUP from now on.
pub(crate) fn hangups() -> Result<mpsc::Receiver<()>, Failure> {
    listen(&[SignalKind::hangup()])
}

fn listen(kinds: &[SignalKind]) -> Result<mpsc::Receiver<()>, Failure> {
    let (sender, receiver) = mpsc::channel(8);
    for kind in kinds {
        let mut signals = signal(*kind)
            .map_err(|error| Failure::work(format!("signals cannot be received: {error}")))?;
        let sender = sender.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() && sender.send(()).await.is_ok() {}
        });
    }
    Ok(receiver)
}
