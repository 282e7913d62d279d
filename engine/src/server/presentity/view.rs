//! The four tables as people look at them, under the paper's field names (behaviour §1.2).

use super::information::Publication;
use super::subscriptions::Subscription;
use super::{Package, Presentity};
use crate::body::pidf::{Basic, Mode, Tuple};
use crate::mint::Id;
use crate::server::tables::{PitRow, SubscriptionTableRow, Tables, WatcherTableRow};
use crate::time::Instant;

impl Presentity {
    /// Appends this presentity's rows.
    pub(crate) fn append_tables(&self, now: Instant, tables: &mut Tables) {
        for (etag, publication) in self.information.iter() {
            tables.pit.extend(
                publication
                    .document
                    .tuples
                    .iter()
                    .map(|tuple| self.pit_row(etag, publication, tuple)),
            );
        }
        let pst = self.subscriptions.iter().map(|(id, row)| self.subscription_row(now, id, row));
        tables.pst.extend(pst);
        let wst = self.winfo.iter().map(|(id, row)| self.subscription_row(now, id, row));
        tables.wst.extend(wst);
        tables.wt.extend(self.watchers.iter().map(|(id, row)| WatcherTableRow {
            target: self.aor.to_string(),
            watcher: row.aor.to_string(),
            id: id.to_string(),
            status: row.status.as_str().to_owned(),
            event: row.cause.as_str().to_owned(),
            display_name: row.display_name.as_deref().unwrap_or("").to_owned(),
            package: "presence".to_owned(),
        }));
    }

    /// One tuple of a publication, with the timestamp and readiness it is shown with.
    fn pit_row(&self, etag: Id, publication: &Publication, tuple: &Tuple) -> PitRow {
        let composed = self.information.composed();
        let shown = composed.and_then(|all| all.tuples.iter().find(|one| one.id == tuple.id));
        let shown = shown.unwrap_or(tuple);
        let offer = shown.offer.as_ref();
        let codecs = offer.map(|offer| {
            let names: Vec<&str> = offer.codecs.iter().map(|codec| &*codec.rtpmap).collect();
            names.join(",")
        });
        let notes: Vec<&str> =
            publication.document.notes.iter().chain(&shown.notes).map(|note| &*note.text).collect();
        PitRow {
            entity: self.aor.to_string(),
            id: tuple.id.to_string(),
            status: match shown.basic {
                Some(Basic::Open) => "open",
                Some(Basic::Closed) => "closed",
                None => "",
            }
            .to_owned(),
            contact: shown.contact.as_deref().unwrap_or("").to_owned(),
            note: notes.join("; "),
            timestamp: shown.timestamp.as_deref().unwrap_or("").to_owned(),
            media: offer.map_or_else(String::new, |offer| offer.media.to_string()),
            port: offer.map_or(0, |offer| offer.port),
            codec: codecs.unwrap_or_default(),
            direct_mode: match offer.map(|offer| offer.mode) {
                Some(Mode::Ready) => "ready",
                Some(Mode::Busy) => "busy",
                Some(Mode::Off) => "off",
                None => "",
            }
            .to_owned(),
            etag: etag.to_string(),
        }
    }

    fn subscription_row(&self, now: Instant, id: Id, row: &Subscription) -> SubscriptionTableRow {
        let dialog = &row.row.dialog;
        let version = match row.row.package {
            Package::Presence => row.acked_rev,
            Package::Winfo => u64::from(row.row.next_version),
        };
        let state = match (row.ending, row.row.active) {
            (Some(cause), _) => format!("terminated;{}", cause.as_str()),
            (None, true) => "active".to_owned(),
            (None, false) => "pending".to_owned(),
        };
        SubscriptionTableRow {
            target: self.aor.to_string(),
            from: row.row.watcher.to_string(),
            version,
            expire: row.row.expires.seconds_since(row.row.since),
            contact: dialog.remote_target.to_string(),
            callid: dialog.call_id.to_string(),
            cseq: dialog.local_cseq,
            state,
            sub_id: id.to_string(),
            remaining: row.row.expires.seconds_since(now),
        }
    }

    /// Sizes of everything that grows here: publications, presence subscriptions, watchers,
    /// winfo subscriptions.
    pub(crate) fn sizes(&self) -> [usize; 4] {
        [self.information.len(), self.subscriptions.len(), self.watchers.len(), self.winfo.len()]
    }
}
