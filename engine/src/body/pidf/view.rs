//! What one watcher gets to see of the offers in a document (behaviour §6.1 X3, X5).

#[cfg(test)]
mod tests;

use super::{Offer, Pidf, Tuple};
use crate::message::Aor;

impl Tuple {
    /// Whether there is an offer that was published without a secret (§6.10).
    pub(super) fn is_in_paper_form(&self) -> bool {
        self.offer.as_ref().is_some_and(|offer| offer.secret.is_none())
    }
}

impl Pidf {
    /// The document as `watcher`, which is active and allowed, may see it.
    ///
    /// Without `direct` permission every direct-media block is gone without a trace. With it each
    /// block loses its secret and gains the watcher's own access, if it was published with one;
    /// `ready` is shown only where all that X3 asks for is there, otherwise `off`. `age_of` tells
    /// how many seconds ago the tuple of an id was published, since the secret's epoch is counted
    /// from there.
    pub fn for_watcher(&self, watcher: &Aor, direct: bool, age_of: impl Fn(&str) -> u32) -> Self {
        let view = |tuple: &Tuple| {
            let mut tuple = tuple.clone();
            let open = tuple.is_in_paper_form();
            tuple.offer = tuple.offer.take().filter(|_| direct).map(|offer| Offer {
                access: offer.access_for(watcher, &tuple.id, age_of(&tuple.id)),
                secret: None,
                ..offer
            });
            let mode = tuple.direct_mode(open);
            if let Some(offer) = &mut tuple.offer {
                offer.mode = mode;
            }
            tuple
        };
        Self {
            entity: self.entity.clone(),
            tuples: self.tuples.iter().map(view).collect(),
            notes: self.notes.clone(),
            extra: self.extra.clone(),
        }
    }
}
