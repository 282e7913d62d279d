//! REGISTER: the bindings of one AOR (M9). Read RFC 3261 §10.3 before editing.
//!
//! One REGISTER is one atomic change: every contact is planned first, and carried out only if
//! all of them may be. Contacts are compared by URI equality (RFC 3261 §19.1.4). A body is
//! ignored, no GRUU is handed out (RFC 5627), and Path is not understood (RFC 3327).

use super::cx::{Ask, Cx};
use super::{Event, Record, Timer};
use crate::dialog::reach_uri;
use crate::machine::Peer;
use crate::message::{Aor, Contacts, Decimal, Name, NameAddr, Params, Reply, Uri};
use crate::mint::{self, Id, Label};
use crate::time::{Date, Instant, Timers};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::sync::Arc;
use std::time::Duration;

/// Most octets of the texts one binding keeps.
const BINDING_SIZE: usize = 2048;
/// Preference of a contact without `q`, in thousandths.
const TOP: u16 = 1000;

/// One contact of an AOR.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Binding {
    /// Contact URI as registered.
    pub contact: Arc<str>,
    /// Contact parameters to give back (`+sip.instance` …), without `expires` and `q`.
    pub params: Box<str>,
    /// Call-ID of the REGISTER that wrote it.
    pub call_id: Arc<str>,
    /// Its CSeq.
    pub cseq: u32,
    /// The flow that reaches the contact.
    pub peer: Peer,
    /// Preference in thousandths.
    pub q: u16,
    /// End of the granted time.
    pub expires: Instant,
}

/// The bindings of one AOR.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Registrations {
    /// In the order of their ids. There are few, so a list beats a map in time and memory.
    bindings: Vec<(Id, Binding)>,
}

/// What a REGISTER or a deadline did, for the other rooms of the account.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Change {
    /// A contact was bound or renewed: stored messages can be delivered (M19).
    pub(crate) bound: bool,
    /// A contact was bound for the first time or by another flow: what is said of the account's
    /// devices may have changed.
    pub(crate) moved: bool,
    /// Bindings that are gone: the offers of their devices are off until published again (R35).
    pub(crate) gone: Vec<Binding>,
}

/// What a REGISTER does to one binding.
enum Step {
    Bind(Binding),
    Unbind,
}

type Plan = SmallVec<[(Id, Step); 2]>;

/// A contact, and what its parameters ask for.
struct Wishes<'a> {
    uri: Uri<'a>,
    expires: Option<&'a str>,
    q: Option<&'a str>,
    /// What is given back as it came.
    kept: String,
}

/// What puts the REGISTERs of one client in order (RFC 3261 §10.3 step 7).
struct Order<'a> {
    call_id: &'a str,
    cseq: u32,
}

/// Why a REGISTER changes nothing.
enum Refusal {
    /// 423 with Min-Expires.
    TooBrief,
    Status(u16, &'static str),
}

impl Registrations {
    /// Carries a REGISTER out and answers it.
    pub(crate) fn on_register(&mut self, cx: &mut Cx<'_>, aor: &Aor, ask: &Ask<'_>) -> Change {
        match self.plan(cx, aor, ask) {
            Ok(plan) => {
                let change = self.carry_out(cx, aor, plan);
                self.list(cx, ask);
                change
            }
            Err(refusal) => {
                refusal.answer(cx, ask);
                Change::default()
            }
        }
    }

    /// The deadline of a binding has come.
    pub(crate) fn on_timer(&mut self, cx: &mut Cx<'_>, aor: &Aor, id: Id) -> Change {
        self.carry_out(cx, aor, SmallVec::from_iter([(id, Step::Unbind)]))
    }

    /// The account is gone.
    pub(crate) fn remove_all(&mut self, cx: &mut Cx<'_>, aor: &Aor) -> Change {
        let plan = self.bindings.iter().map(|(id, _)| (*id, Step::Unbind)).collect();
        self.carry_out(cx, aor, plan)
    }

    /// The only writer of bindings, living and recovering. Rows of other rooms leave no trace.
    pub(crate) fn apply(&mut self, record: &Record) {
        match record {
            Record::Bound(_, id, binding) => match self.place(*id) {
                Ok(place) => self.bindings[place].1 = binding.clone(),
                Err(place) => {
                    self.bindings.reserve_exact(1);
                    self.bindings.insert(place, (*id, binding.clone()));
                }
            },
            Record::Unbound(_, id) => {
                if let Ok(place) = self.place(*id) {
                    self.bindings.remove(place);
                    self.bindings.shrink_to_fit();
                }
            }
            Record::Published(..)
            | Record::Withdrawn(..)
            | Record::Subscribed(..)
            | Record::Ended(..)
            | Record::Waiting(..)
            | Record::Released(..)
            | Record::Decided(..)
            | Record::Ruled(..)
            | Record::Unruled(_)
            | Record::Kept(..)
            | Record::Delivered(..) => {}
        }
    }

    /// Arms the deadlines of recovered bindings; those that have passed fire at once.
    pub(crate) fn rearm(&self, timers: &mut Timers<Timer>, grace: Duration, aor: &Aor) {
        for (id, binding) in &self.bindings {
            timers.arm(Timer::Binding(aor.clone(), *id), binding.expires + grace);
        }
    }

    /// The bindings, in a stable order.
    pub(crate) fn live(&self) -> impl Iterator<Item = &Binding> {
        self.bindings.iter().map(|(_, binding)| binding)
    }

    /// How many bindings there are.
    pub(crate) fn len(&self) -> usize {
        self.bindings.len()
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.bindings.is_empty()
    }

    /// Contact and flow of a binding.
    fn reachable(&self, id: Id) -> Option<(&str, Peer)> {
        let (_, binding) = &self.bindings[self.place(id).ok()?];
        Some((&binding.contact, binding.peer))
    }

    fn place(&self, id: Id) -> Result<usize, usize> {
        self.bindings.binary_search_by_key(&id, |(known, _)| *known)
    }

    fn commit(&mut self, cx: &mut Cx<'_>, record: Record) {
        self.apply(&record);
        cx.record(record);
    }

    /// What a request would do (RFC 3261 §10.3 steps 6 and 7); changes nothing.
    fn plan(&self, cx: &Cx<'_>, aor: &Aor, ask: &Ask<'_>) -> Result<Plan, Refusal> {
        let limit = cx.config.limits.bindings;
        if ask.user != *aor {
            let ours = cx.config.users.owns(aor, &cx.config.domain);
            return Err(if ours { Refusal::FORBIDDEN } else { Refusal::NOT_FOUND });
        }
        let order = Order::of(ask)?;
        let plan = match ask.request.contacts().map_err(|_| Refusal::BAD_CONTACT)? {
            Contacts::None => Plan::new(),
            Contacts::Star => self.plan_star(ask, &order)?,
            Contacts::List(list) if list.len() > limit => return Err(Refusal::TOO_MANY),
            Contacts::List(list) => {
                let mut plan = Plan::new();
                for contact in &list {
                    self.plan_contact(cx, aor, ask, &order, contact, &mut plan)?;
                }
                plan
            }
        };
        if self.len_after(&plan) > limit { Err(Refusal::TOO_MANY) } else { Ok(plan) }
    }

    fn plan_star(&self, ask: &Ask<'_>, order: &Order<'_>) -> Result<Plan, Refusal> {
        if ask.request.seconds(Name::Expires) != Some(0) {
            return Err(Refusal::STAR);
        }
        let unbind = |(id, binding): &(Id, Binding)| {
            order.is_after(binding).then_some((*id, Step::Unbind)).ok_or(Refusal::OUT_OF_ORDER)
        };
        self.bindings.iter().map(unbind).collect()
    }

    fn plan_contact(
        &self,
        cx: &Cx<'_>,
        aor: &Aor,
        ask: &Ask<'_>,
        order: &Order<'_>,
        contact: &NameAddr<'_>,
        plan: &mut Plan,
    ) -> Result<(), Refusal> {
        let uri = Uri::parse(contact.uri).map_err(|_| Refusal::BAD_CONTACT)?;
        let known = self.bindings.iter().find(|(_, binding)| binding.is_for(contact.uri, &uri));
        if known.is_some_and(|(_, binding)| !order.is_after(binding)) {
            return Err(Refusal::OUT_OF_ORDER);
        }
        let wishes = Wishes::of(uri, &contact.params);
        let seconds = granted(cx, ask, wishes.expires)?;
        // The same contact twice in one request: the later one counts.
        let twin = plan.iter().position(|(id, step)| match step {
            Step::Bind(other) => other.is_for(contact.uri, &uri),
            Step::Unbind => known.is_some_and(|(known, _)| known == id),
        });
        let id = match (twin, known) {
            (Some(twin), _) => plan.remove(twin).0,
            (None, Some((id, _))) => *id,
            (None, None) => self.new_id(cx, aor, contact.uri, plan),
        };
        let step = match seconds {
            0 if self.place(id).is_err() => return Ok(()),
            0 => Step::Unbind,
            _ => {
                let known = known.map(|(_, binding)| binding);
                Step::Bind(Binding::new(cx, ask, order, contact, &wishes, seconds, known)?)
            }
        };
        plan.push((id, step));
        Ok(())
    }

    /// A free id for a contact, derived from its text. A binding that was renewed under an
    /// equivalent spelling keeps its first id, so that one may be taken.
    fn new_id(&self, cx: &Cx<'_>, aor: &Aor, contact: &str, plan: &Plan) -> Id {
        let taken = |id: &Id| self.place(*id).is_ok() || plan.iter().any(|(one, _)| one == id);
        let derive = |salt: u32| {
            let salt = salt.to_be_bytes();
            let cause = [b"binding", aor.as_str().as_bytes(), contact.as_bytes(), &salt];
            cx.config.secret.derive64(Label::Tuple, &cause)
        };
        (0..).map(derive).find(|id| !taken(id)).expect("few ids are taken")
    }

    fn len_after(&self, plan: &Plan) -> usize {
        let touched = plan.iter().filter(|(id, _)| self.place(*id).is_ok()).count();
        let bound = plan.iter().filter(|(_, step)| matches!(step, Step::Bind(_))).count();
        self.len() - touched + bound
    }

    fn carry_out(&mut self, cx: &mut Cx<'_>, aor: &Aor, plan: Plan) -> Change {
        let before = self.len();
        let mut change = Change::default();
        for (id, step) in plan {
            let timer = Timer::Binding(aor.clone(), id);
            match step {
                Step::Bind(binding) => {
                    change.moved |= self.reachable(id) != Some((&*binding.contact, binding.peer));
                    cx.timers.arm(timer, binding.expires + cx.config.limits.expiry_grace);
                    self.commit(cx, Record::Bound(aor.clone(), id, binding));
                    change.bound = true;
                }
                Step::Unbind => {
                    let Ok(place) = self.place(id) else { continue };
                    change.gone.push(self.bindings[place].1.clone());
                    cx.timers.stop(&timer);
                    self.commit(cx, Record::Unbound(aor.clone(), id));
                }
            }
        }
        if self.len() != before || !change.gone.is_empty() {
            let bindings = u32::try_from(self.len()).unwrap_or(u32::MAX);
            cx.emit(Event::Registered { aor: aor.clone(), bindings });
        }
        change
    }

    /// 200 with every binding whose granted time is not over (RFC 3261 §10.3 step 8).
    fn list(&self, cx: &mut Cx<'_>, ask: &Ask<'_>) {
        let mut reply = cx.answer(ask, 200);
        reply.header(Name::Date, Date::of(cx.now).as_str());
        reply.header(Name::Supported, "dm1");
        for binding in self.live().filter(|binding| binding.expires > cx.now) {
            binding.write(cx.now, &mut reply);
        }
        let bytes = reply.into_writer().finish();
        cx.reply(ask, 200, bytes);
    }
}

impl Binding {
    fn new(
        cx: &Cx<'_>,
        ask: &Ask<'_>,
        order: &Order<'_>,
        contact: &NameAddr<'_>,
        wishes: &Wishes<'_>,
        seconds: u32,
        known: Option<&Self>,
    ) -> Result<Self, Refusal> {
        if contact.uri.len() + contact.params.0.len() + order.call_id.len() > BINDING_SIZE {
            return Err(Refusal::TOO_LONG);
        }
        // A refresh says the same again as a rule.
        let keep = |text: &str, of: fn(&Self) -> &Arc<str>| match known.map(of) {
            Some(same) if **same == *text => same.clone(),
            Some(_) | None => text.into(),
        };
        Ok(Self {
            contact: keep(contact.uri, |known| &known.contact),
            params: wishes.kept.as_str().into(),
            call_id: keep(order.call_id, |known| &known.call_id),
            cseq: order.cseq,
            peer: reach_uri(ask.request, &wishes.uri, ask.from),
            q: wishes.q.and_then(thousandths).unwrap_or(TOP),
            expires: cx.now + Duration::from_secs(seconds.into()),
        })
    }

    /// Whether it binds this contact.
    fn is_for(&self, text: &str, uri: &Uri<'_>) -> bool {
        *self.contact == *text || Uri::parse(&self.contact).is_ok_and(|ours| ours.equivalent(uri))
    }

    fn write(&self, now: Instant, reply: &mut Reply) {
        // Rounded up, so that a contact is listed with at least a second while it lasts.
        let left = self.expires.since(now) + Duration::from_millis(999);
        let left = Decimal::of(u32::try_from(left.as_secs()).unwrap_or(u32::MAX));
        let q = if self.q == TOP { String::new() } else { format!(";q=0.{:03}", self.q) };
        let gap = if self.params.is_empty() { "" } else { ";" };
        let pieces = ["<", &*self.contact, ">;expires=", left.as_str(), &*q, gap, &*self.params];
        reply.pieces(Name::Contact, &pieces);
    }
}

impl<'a> Wishes<'a> {
    fn of(uri: Uri<'a>, params: &Params<'a>) -> Self {
        let kept = String::with_capacity(params.0.len());
        let mut wishes = Self { uri, expires: None, q: None, kept };
        for (name, value) in params.iter() {
            match name {
                _ if name.eq_ignore_ascii_case("expires") => wishes.expires = Some(value),
                _ if name.eq_ignore_ascii_case("q") => wishes.q = Some(value),
                _ => {
                    let gap = if wishes.kept.is_empty() { "" } else { ";" };
                    let equals = if value.is_empty() { "" } else { "=" };
                    wishes.kept.extend([gap, name, equals, value]);
                }
            }
        }
        wishes
    }
}

impl<'a> Order<'a> {
    fn of(ask: &Ask<'a>) -> Result<Self, Refusal> {
        match (ask.request.call_id(), ask.request.cseq()) {
            (Ok(call_id), Ok(cseq)) => Ok(Self { call_id, cseq: cseq.number }),
            _ => Err(Refusal::BAD_ORDER),
        }
    }

    /// Within one Call-ID, a request must be newer than what it changes.
    fn is_after(&self, binding: &Binding) -> bool {
        *binding.call_id != *self.call_id || binding.cseq < self.cseq
    }
}

impl Refusal {
    const FORBIDDEN: Self = Self::Status(403, "Not Your Account");
    const NOT_FOUND: Self = Self::Status(404, "No Such Account");
    const BAD_CONTACT: Self = Self::Status(400, "Unusable Contact");
    const BAD_ORDER: Self = Self::Status(400, "Unusable Call-ID Or CSeq");
    const STAR: Self = Self::Status(400, "Contact * Needs Expires 0");
    const TOO_LONG: Self = Self::Status(400, "Contact Too Long");
    const OUT_OF_ORDER: Self = Self::Status(500, "CSeq Out Of Order");
    /// 403, not 503: the client shall not turn away from this server, but remove a contact.
    const TOO_MANY: Self = Self::Status(403, "Too Many Contacts");

    fn answer(self, cx: &mut Cx<'_>, ask: &Ask<'_>) {
        let (status, reply) = match self {
            Self::TooBrief => {
                let mut reply = cx.answer(ask, 423);
                reply.number(Name::MinExpires, cx.config.limits.reg_min);
                (423, reply)
            }
            Self::Status(status, reason) => {
                let tag = cx.to_tag(ask).hex();
                let tag = mint::ascii(&tag);
                (status, Reply::with_reason(ask.request, ask.from.addr, status, reason, tag))
            }
        };
        cx.reply(ask, status, reply.into_writer().finish());
    }
}

/// Seconds to grant a contact: its own `expires`, else the header, else K7's default. What is
/// malformed counts as absent (RFC 3261 §10.2.1.1). 0 removes.
fn granted(cx: &Cx<'_>, ask: &Ask<'_>, wished: Option<&str>) -> Result<u32, Refusal> {
    let limits = &cx.config.limits;
    let asked = match wished {
        Some(text) => seconds(text),
        None => ask.request.seconds(Name::Expires),
    };
    match asked.unwrap_or(limits.reg_default) {
        0 => Ok(0),
        brief if brief < limits.reg_min => Err(Refusal::TooBrief),
        asked => Ok(asked.min(limits.reg_max)),
    }
}

fn seconds(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u32::MAX))
}

/// `qvalue` (RFC 3261 §25.1) in thousandths: `1`, `0.5`, `0.123`.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = text.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.');
    if !digits || whole.len() != 1 || fraction.len() > 3 {
        return None;
    }
    let (whole, fraction): (u16, u16) =
        (whole.parse().ok()?, format!("{fraction:0<3}").parse().ok()?);
    Some(whole * TOP + fraction).filter(|q| *q <= TOP)
}

#[cfg(test)]
mod tests;
