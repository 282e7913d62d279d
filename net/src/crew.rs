//! The tasks of one running house: they live together and end together.
//!
//! One failure ends all: a server that lost a shard or an ear would lie to a part of its users.

use crate::driver::Failure;
use std::future::Future;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinError, JoinSet};

type Verdict = Result<(), Failure>;

/// Drivers and receivers under supervision. Dropping it ends them at once, like a crash.
#[derive(Debug)]
pub(crate) struct Crew {
    verdict: watch::Receiver<Option<Verdict>>,
    supervisor: AbortHandle,
}

impl Crew {
    /// Supervises `drivers`, which end when told to, and `receivers`, which never end.
    /// `kept` is dropped before [`Crew::join`] returns, so that a successor finds it free.
    pub(crate) fn new(
        drivers: JoinSet<Verdict>,
        receivers: JoinSet<()>,
        kept: impl Send + 'static,
    ) -> Self {
        let (tell, verdict) = watch::channel(None);
        let watched = async move {
            let verdict = supervise(drivers, receivers).await;
            drop(kept);
            tell.send_replace(Some(verdict));
        };
        Self { verdict, supervisor: tokio::spawn(watched).abort_handle() }
    }

    /// Waits until every task has ended; the error is the first failure.
    pub(crate) fn join(&self) -> impl Future<Output = Verdict> + Send + use<> {
        let mut verdict = self.verdict.clone();
        async move {
            match verdict.wait_for(Option::is_some).await {
                Ok(verdict) => verdict.clone().expect("waited for a verdict"),
                Err(_) => Err(Failure::Panic("the supervisor was ended".into())),
            }
        }
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.supervisor.abort();
    }
}

async fn supervise(mut drivers: JoinSet<Verdict>, mut receivers: JoinSet<()>) -> Verdict {
    let mut verdict = Ok(());
    while verdict.is_ok() && !drivers.is_empty() {
        tokio::select! {
            biased;
            Some(ended) = drivers.join_next() => {
                verdict = ended.unwrap_or_else(|error| Err(panicked(error)));
            }
            Some(ended) = receivers.join_next() => {
                verdict = ended.map_err(panicked);
            }
        }
    }
    if let Err(failure) = &verdict {
        crate::log::failed(failure);
    }
    drivers.shutdown().await;
    receivers.shutdown().await;
    verdict
}

fn panicked(error: JoinError) -> Failure {
    let Ok(cause) = error.try_into_panic() else {
        return Failure::Panic("a task was cancelled by its runtime".into());
    };
    let text = cause.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| cause.downcast_ref::<String>().cloned());
    Failure::Panic(text.unwrap_or_else(|| "without a message".into()))
}
