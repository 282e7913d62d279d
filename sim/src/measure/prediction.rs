//! What behaviour §6.11 predicts: one-way delays added up, no loss, no time to think.

use super::{Case, Delays};

/// From the press until the first packet of the caller is at the callee, ms.
pub fn arrival(case: Case, delays: Delays) -> u64 {
    let Delays { a, b, d } = delays;
    let through = 2 * (a + b);
    match case {
        Case::Invite => through + d,
        Case::Challenged => through + 2 * a + d,
        Case::Mismatch => through + 2 * a + through + d,
        Case::Checked => 3 * d,
        Case::Early | Case::Paper => d,
    }
}

/// Messages of a direct call with so many watchers: it makes an offer busy and ready again, each
/// time with a PUBLISH and a NOTIFY for everybody, and each of them is answered. §6.11 counts the
/// NOTIFYs alone, `4·W`.
pub fn messages(watchers: usize) -> usize {
    4 * watchers + 4
}
