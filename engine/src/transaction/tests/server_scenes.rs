//! Non-INVITE requests that arrive.

use super::*;

#[test]
fn a_copy_that_comes_while_the_user_thinks_is_dropped() {
    let mut world = World::new();
    let subscribe = request("SUBSCRIBE", "z9hG4bK1");
    world.open(&subscribe);
    assert_eq!(world.arrive(&subscribe), Arrival::Absorbed);
    assert!(world.sent.is_empty());
}

#[test]
fn the_answer_was_lost_and_every_copy_gets_it_again_byte_for_byte() {
    let mut world = World::new();
    let subscribe = request("SUBSCRIBE", "z9hG4bK1");
    let key = world.open(&subscribe);
    world.answer(&subscribe, key, 200);
    world.wait(ms(500));
    assert_eq!(world.arrive(&subscribe), Arrival::Absorbed);
    world.wait(ms(1000));
    assert_eq!(world.arrive(&subscribe), Arrival::Absorbed);
    let (_, to, first) = world.sent[0].clone();
    assert_eq!(to, near());
    assert_eq!(world.sent, [(0, to, first.clone()), (500, to, first.clone()), (1500, to, first)]);
}

#[test]
fn a_copy_is_absorbed_for_64_t1_after_the_answer_and_new_after_that() {
    let mut world = World::new();
    let subscribe = request("SUBSCRIBE", "z9hG4bK1");
    let key = world.open(&subscribe);
    world.wait(ms(1000));
    world.answer(&subscribe, key, 200);
    world.wait(ms(31_999));
    assert_eq!(world.arrive(&subscribe), Arrival::Absorbed);
    world.wait(ms(1));
    assert_eq!(world.arrive(&subscribe), Arrival::New(key));
    assert_eq!(world.tx, Transactions::default());
}

#[test]
fn a_slow_user_is_covered_by_one_100_when_the_client_has_reached_t2() {
    let mut world = World::new();
    let publish = request("PUBLISH", "z9hG4bK1");
    let key = world.open(&publish);
    world.wait(ms(3499));
    assert!(world.sent.is_empty());
    world.wait(ms(1));
    assert_eq!(world.log(), [(3500, "100".to_owned())]);
    world.wait(ms(4000));
    assert_eq!(world.arrive(&publish), Arrival::Absorbed);
    world.answer(&publish, key, 200);
    let sent = [(3500, "100".to_owned()), (7500, "100".to_owned()), (7500, "200".to_owned())];
    assert_eq!(world.log(), sent);
    assert_eq!(world.states(), ["Completed"]);
}

#[test]
fn the_100_says_where_the_request_came_from_and_has_no_to_tag() {
    let mut world = World::new();
    world.open(&request("PUBLISH", "z9hG4bK1"));
    world.wait(ms(3500));
    insta::assert_snapshot!(std::str::from_utf8(&world.sent[0].2).unwrap());
}

#[test]
fn a_user_that_answers_at_once_leaves_no_timer_but_j() {
    let mut world = World::new();
    let publish = request("PUBLISH", "z9hG4bK1");
    let key = world.open(&publish);
    world.answer(&publish, key, 200);
    assert_eq!(world.tx.deadline(), Some(world.now + ms(32_000)));
    world.wait(ms(40_000));
    assert_eq!(world.log(), [(0, "200".to_owned())]);
    assert_eq!(world.tx.deadline(), None);
    assert_eq!(world.tx.len(), (0, 0));
}

#[test]
fn a_user_that_never_answers_gets_its_client_no_408() {
    let mut world = World::new();
    let publish = request("PUBLISH", "z9hG4bK1");
    let key = world.open(&publish);
    world.answer(&publish, key, 408);
    world.wait(ms(40_000));
    assert_eq!(world.log(), [(3500, "100".to_owned())]);
    assert_eq!(world.told, [(32_000, Fired::Unanswered(key))]);
    assert_eq!(world.tx, Transactions::default());
}

#[test]
fn no_provisional_answer_leaves_for_a_non_invite_and_no_second_final_one() {
    let mut world = World::new();
    let message = request("MESSAGE", "z9hG4bK1");
    let key = world.open(&message);
    world.answer(&message, key, 100);
    world.answer(&message, key, 180);
    world.answer(&message, key, 200);
    world.answer(&message, key, 500);
    assert_eq!(world.arrive(&message), Arrival::Absorbed);
    assert_eq!(world.log(), [(0, "200".to_owned()), (0, "200".to_owned())]);
}

#[test]
fn an_answer_to_an_unknown_transaction_goes_nowhere() {
    let mut world = World::new();
    let message = request("MESSAGE", "z9hG4bK1");
    let key = Transactions::<()>::key(&SECRET, &message, Method::Message);
    world.answer(&message, key, 200);
    assert!(world.sent.is_empty());
    assert_eq!(world.tx.len(), (0, 0));
}

#[test]
fn the_same_request_by_another_path_is_merged_while_the_first_is_alive() {
    let mut world = World::new();
    let [first, second] = ["z9hG4bK1", "z9hG4bK2"].map(|branch| request("MESSAGE", branch));
    let key = world.open(&first);
    assert!(!world.tx.is_merged(&SECRET, &first, key));
    let Arrival::New(other) = world.arrive(&second) else { panic!("another path") };
    assert!(world.tx.is_merged(&SECRET, &second, other));
    world.answer(&first, key, 200);
    assert!(world.tx.is_merged(&SECRET, &second, other));
    world.wait(ms(32_000));
    assert!(!world.tx.is_merged(&SECRET, &second, other));
}

#[test]
fn a_request_inside_a_dialog_is_never_merged() {
    let mut world = World::new();
    world.open(&request("MESSAGE", "z9hG4bK1"));
    let inside = with_via("MESSAGE", "SIP/2.0/UDP host.example:5061;branch=z9hG4bK2", "b1");
    let Arrival::New(key) = world.arrive(&inside) else { panic!("another path") };
    assert!(!world.tx.is_merged(&SECRET, &inside, key));
}

#[test]
fn without_lingering_an_answered_request_is_forgotten_at_once() {
    let mut world = World::new();
    world.timing.linger = false;
    let message = request("MESSAGE", "z9hG4bK1");
    let key = world.open(&message);
    world.answer(&message, key, 200);
    assert_eq!(world.log(), [(0, "200".to_owned())]);
    assert_eq!(world.tx, Transactions::default());
}

#[test]
fn two_orders_that_lead_to_the_same_situation_lead_to_the_same_state() {
    let requests = ["z9hG4bK1", "z9hG4bK2", "z9hG4bK3"].map(|branch| request("MESSAGE", branch));
    let run = |order: [usize; 3], answered: [usize; 2]| {
        let mut world = World::new();
        let mut keys = [None; 3];
        for i in order {
            keys[i] = Some(world.open(&requests[i]));
        }
        for i in answered {
            world.answer(&requests[i], keys[i].unwrap(), 200);
        }
        world.wait(ms(5000));
        world.tx
    };
    assert_eq!(run([0, 1, 2], [0, 1]), run([2, 1, 0], [1, 0]));
    assert_ne!(run([0, 1, 2], [0, 1]), run([2, 1, 0], [1, 2]));
}
