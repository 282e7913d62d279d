//! What the simulator cannot come to, or cannot see, and why.

/// Row or race, and the reason.
pub const BEYOND: &[(&str, &str)] = &[
    ("M7.3", "needs sixty-five thousand nonces; the digest model evicts with three"),
    ("M7.5", "no device shows a nonce to another one"),
    ("M7.11", "needs a second server or a forged nonce; digest's own tests have both"),
    ("M8.5", "every device knows its password"),
    ("M8.7", "the server always offers SHA-256"),
    ("M9.6", "the agent takes its own binding back and nobody else's"),
    ("M9.7", "leaves no trace on the wire; the table of registrations has it"),
    ("M9.8", "plans ask for the shortest time that is granted, or more"),
    ("M9.9", "the agent always names its contact"),
    ("M9.10", "every device registers its own user, who has an account"),
    ("M10.4", "plans ask for the shortest time that is granted, or more"),
    ("M10.5", "every device registers its own user, who has an account"),
    ("M11.2", "the agent publishes nothing that ends at once"),
    ("M11.3", "the agent publishes nothing without a document"),
    ("M11.8", "the agent takes back without a document"),
    ("M11.10", "the agent publishes what the server takes"),
    ("M12.9", "plans ask for the shortest time that is granted, or more"),
    ("M13.9", "needs a thousand undecided watchers; the presentity's tests have them"),
    ("M13.19", "nothing is built that ends subscriptions for overload"),
    ("M13.20", "no plan deletes accounts; tests of the users file do"),
    ("M13.22", "there is no second door to the policy"),
    ("M13.35", "leaves no trace on the wire; P21 reads the tables"),
    ("M14.6", "no device challenges the server"),
    ("M15.6", "plans ask for the shortest time that is granted, or more"),
    ("M15.11", "needs a proxy that forks SUBSCRIBE"),
    ("M16.7", "needs two thousand million documents"),
    ("M17.2", "needs a notifier that begins with a part; the agent's tests script one"),
    ("M17.5", "needs a notifier that skips versions; the agent's tests script one"),
    ("M17.6", "needs a notifier that repeats versions; the agent's tests script one"),
    ("M17.7", "needs a notifier that skips versions; the agent's tests script one"),
    ("M17.8", "needs a notifier that skips versions; the agent's tests script one"),
    ("M17.9", "needs a notifier that writes bad XML; the agent's tests script one"),
    ("M18.5", "messages go over the server only"),
    ("M18.8", "no device refuses a message with 6xx"),
    ("M18.9", "nothing happens"),
    ("M19.7", "no device refuses a message with 6xx"),
    ("M19.8", "a server whose disk fails ends"),
    ("M19.12", "messages are kept for days, plans last for minutes"),
    ("M20.2", "the agent writes plain text only"),
    ("M20.3", "messages of the agent do not expire"),
    ("M20.4", "what is dropped silently looks like a copy that is dropped"),
    ("M20.5", "messages go over the server only"),
    ("R14", "no device challenges the server"),
    ("R22", "needs a proxy that forks SUBSCRIBE"),
    ("R23", "needs a proxy that sends a request on two ways"),
    ("R25", "the agent names no id in Event"),
    ("R26", "our server says the same in both places; P15 holds it to that"),
    ("R29a", "the first NOTIFY leaves in the millisecond of its 200"),
    ("R35", "binding and publication of a device end within seconds of each other"),
    ("R37", "needs a notifier that skips versions; the agent's tests script one"),
    ("R38", "needs a notifier that repeats versions; the agent's tests script one"),
    ("R39", "what comes and goes between two documents is in none of them"),
    ("R40", "is a law: P10 holds every run to it"),
    ("R50", "needs a forged branch; the transaction tests have it"),
    ("R56", "is a law: P42 holds every run to it"),
    ("R59", "there is no such race"),
    ("R63", "needs a second server"),
    ("R65", "needs sixty-five thousand nonces; the digest model evicts with three"),
    ("R66", "a challenge is answered within seconds, a nonce lasts for minutes"),
    ("R70", "is a limit that is documented: digest does not protect headers"),
    ("R71", "nobody guesses passwords; the gate's tests do"),
    ("R72", "no plan deletes accounts; tests of the users file do"),
    ("R76", "a message is stored in the millisecond in which it comes"),
];

/// How many rows the tables of the machines M7 to M20 have, in their order.
const ROWS: [u8; 14] = [12, 7, 10, 9, 10, 9, 35, 11, 21, 8, 10, 9, 13, 5];

/// Races with a letter behind their number.
const LETTERED: [&str; 2] = ["R29a", "R77a"];

/// Every row of M7 to M20 and every race up to R77a.
pub fn every_id() -> impl Iterator<Item = String> {
    let machines = (7..).zip(ROWS);
    let rows =
        machines.flat_map(|(machine, rows)| (1..=rows).map(move |row| format!("M{machine}.{row}")));
    rows.chain((1..=77).map(|race| format!("R{race}"))).chain(LETTERED.map(str::to_owned))
}
