//! C1 as a picture: two ends, and the letters between their transactions.

use super::scene::{Fate, Row, Scene, Step};
use crate::explore::Pictured;
use crate::pair::{Action, CLIENT, Ends, Exchange, name, seconds};
use crate::world::SERVER;

const COLUMNS: [std::net::SocketAddr; 2] = [CLIENT, SERVER];

/// A path of C1 as SVG; every state but the last with the action that follows it.
pub(crate) fn exchange(exchange: &Exchange, path: &[(&Ends, Option<Action>)]) -> String {
    let mut scene = Scene::of(COLUMNS.iter().map(|end| name(*end).to_owned()).collect());
    // What is sent before the first step is under way when it begins.
    let first = path.first().into_iter().flat_map(|(ends, _)| ends.wire.iter());
    let rows: Vec<Row> =
        first.map(|(letter, _)| scene.leave(&COLUMNS, CLIENT, letter, Fate::UnderWay)).collect();
    let says = "the client's user asks".to_owned();
    scene.steps.push(Step { says, seconds: 0.0, is_trouble: false, rows });
    for pair in path.windows(2) {
        if let [(before, Some(action)), (after, _)] = pair {
            step(&mut scene, exchange, before, *action, after);
        }
    }
    if let Some((end, _)) = path.last() {
        let before = path.len().checked_sub(2).map(|at| exchange.standings(path[at].0));
        scene.stand(before.as_deref(), exchange.standings(end));
        let under_way = end.wire.iter().map(|(letter, copies)| (letter.title(), copies));
        scene.under_way = under_way.collect();
        scene.broken = end.broken.clone();
        scene.is_quiet = end.is_over(exchange.pair.invite);
    }
    scene.svg()
}

fn step(scene: &mut Scene, exchange: &Exchange, before: &Ends, action: Action, after: &Ends) {
    let mut rows = Vec::new();
    match (exchange.letter(before, action), action) {
        (Some(letter), Action::Copy(_)) => {
            rows.push(scene.leave(&COLUMNS, letter.from, letter, Fate::UnderWay));
        }
        (Some(letter), Action::Drop(_)) => rows.extend(scene.end(letter.print, Fate::Lost)),
        (Some(letter), _) => rows.extend(scene.end(letter.print, Fate::Arrived)),
        (None, _) => {}
    }
    for letter in &after.said {
        // More than two of a kind are two.
        let fate = if scene.open(letter.print).count() > 1 { Fate::Again } else { Fate::UnderWay };
        rows.push(scene.leave(&COLUMNS, letter.from, letter, fate));
    }
    let (was, is) = (before.users.get(), after.users.get());
    let told = is.heard.filter(|_| was.heard != is.heard);
    rows.extend(told.map(|status| Row::Note(0, format!("is told {status}"))));
    if is.gave_up && !was.gave_up {
        rows.push(Row::Note(0, "is told that nobody answers".to_owned()));
    }
    if was.key() != is.key() {
        rows.push(Row::Note(1, "is told of the request".to_owned()));
    }
    if is.got_ack && !was.got_ack {
        rows.push(Row::Note(1, "is told of the ACK".to_owned()));
    }
    let is_trouble = matches!(action, Action::Drop(_) | Action::Copy(_));
    let (says, seconds) = (exchange.describe(before, action), seconds(after));
    scene.steps.push(Step { says, seconds, is_trouble, rows });
}
