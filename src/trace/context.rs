//! W3C Trace Context (level 1, and the random flag of level 2): the headers `traceparent` and `tracestate`.

use std::fmt;
use std::sync::Arc;

use rand::Rng as _;

/// The flag that a caller records its part of the trace.
const SAMPLED: u8 = 0x01;

/// The flags that are known: those of level 1 and 2.
const KNOWN_FLAGS: u8 = 0x03;

/// Length of a `traceparent` of version 00.
const TRACEPARENT: usize = 55;

/// Longest `tracestate` that is passed on, in characters: what every participant has to manage (§3.3.1.5).
const MAX_TRACESTATE: usize = 512;

/// Longest member, in characters, that is not the first to be left out of a `tracestate` that is too long (§3.3.1.5).
const MAX_PREFERRED_MEMBER: usize = 128;

/// Most members of a `tracestate` (§3.3.1.1).
const MAX_MEMBERS: usize = 32;

/// A span's place: its trace, its own id, and whether its trace is recorded.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceContext {
    /// The trace; never all zero.
    pub trace_id: [u8; 16],
    /// The span; never all zero.
    pub span_id: [u8; 8],
    flags: u8,
}

impl TraceContext {
    /// Reads a `traceparent`; `None` if it is not one. A later version may have more behind the flags.
    pub fn parse(text: &str) -> Option<Self> {
        let version = hex::<1>(text.get(..2)?)?;
        let is_whole = match version {
            [0xff] => false,
            [0] => text.len() == TRACEPARENT,
            _ => text.len() == TRACEPARENT || text.as_bytes().get(TRACEPARENT) == Some(&b'-'),
        };
        let mut parts = text.get(2..TRACEPARENT)?.strip_prefix('-')?.split('-');
        let context = Self {
            trace_id: hex(parts.next()?)?,
            span_id: hex(parts.next()?)?,
            flags: hex::<1>(parts.next()?)?.first()? & KNOWN_FLAGS,
        };
        let is_valid = is_whole && parts.next().is_none() && context.trace_id != [0; 16] && context.span_id != [0; 8];
        is_valid.then_some(context)
    }

    /// A trace of its own, with a span.
    pub fn start(is_sampled: impl FnOnce(&[u8; 16]) -> bool) -> Self {
        let trace_id = random();
        Self { trace_id, span_id: random(), flags: u8::from(is_sampled(&trace_id)) * SAMPLED }
    }

    /// Another span of the same trace.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { span_id: random(), ..*self }
    }

    /// Whether the trace is recorded.
    pub const fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// The flags, as `traceparent` has them.
    pub const fn flags(&self) -> u8 {
        self.flags
    }

    /// The trace's id in hex.
    pub fn trace_id_text(&self) -> String {
        text(&self.trace_id)
    }

    /// The span's id in hex.
    pub fn span_id_text(&self) -> String {
        text(&self.span_id)
    }
}

/// The `traceparent`.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trace_id = u128::from_be_bytes(self.trace_id);
        let span_id = u64::from_be_bytes(self.span_id);
        write!(f, "00-{trace_id:032x}-{span_id:016x}-{:02x}", self.flags)
    }
}

impl fmt::Debug for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What another process says of its trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteContext {
    /// Its span.
    pub context: TraceContext,
    /// What vendors on the way have added; passed on, as much of it as is kept.
    pub state: Option<Arc<str>>,
}

impl RemoteContext {
    /// Reads the headers; `None` without exactly one valid `traceparent`. A `tracestate` that can't be read counts as none.
    pub fn read<'h>(
        mut traceparents: impl Iterator<Item = &'h str>,
        tracestates: impl Iterator<Item = &'h str>,
    ) -> Option<Self> {
        let context = TraceContext::parse(traceparents.next()?.trim())?;
        if traceparents.next().is_some() {
            return None;
        }
        Some(Self { context, state: joined_state(tracestates).map(Arc::from) })
    }
}

/// Several headers are one list (RFC 9110 §5.3).
fn joined_state<'h>(headers: impl Iterator<Item = &'h str>) -> Option<String> {
    let members = headers.flat_map(|header| header.split(',')).map(str::trim).filter(|member| !member.is_empty());
    let mut members: Vec<&str> = members.take(MAX_MEMBERS + 1).collect();
    let is_member = |member: &&str| {
        let is_plain = member.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        is_plain && member.split_once('=').is_some_and(|(key, value)| !key.is_empty() && !value.contains('='))
    };
    if members.len() > MAX_MEMBERS || !members.iter().all(is_member) {
        return None;
    }
    shorten(&mut members);
    (!members.is_empty()).then(|| members.join(","))
}

/// Leaves whole members out of a list that is too long: large ones first, those at the end before others (§3.3.1.5).
fn shorten(members: &mut Vec<&str>) {
    let is_too_long = |members: &[&str]| {
        let with_commas: usize = members.iter().map(|member| member.len() + 1).sum();
        with_commas > MAX_TRACESTATE + 1
    };
    while is_too_long(members) {
        let large = members.iter().rposition(|member| member.len() > MAX_PREFERRED_MEMBER);
        members.remove(large.unwrap_or(members.len() - 1));
    }
}

/// Random bytes that are not all zero, which stands for no id.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let mut source = rand::rng();
    while bytes == [0; N] {
        source.fill(bytes.as_mut_slice());
    }
    bytes
}

/// Small hex digits, exactly two for each byte.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let &[high, low] = pair else { return None };
        *byte = digit(high)? << 4 | digit(low)?;
    }
    Some(bytes)
}

fn text(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        text.extend([byte >> 4, byte & 0xf].map(|digit| char::from_digit(digit.into(), 16).unwrap_or('0')));
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIVEN: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_traceparent_is_read_as_the_recommendation_says() {
        let context = TraceContext::parse(GIVEN).unwrap();
        assert_eq!(context.to_string(), GIVEN);
        assert_eq!(context.trace_id_text(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(context.span_id_text(), "b7ad6b7169203331");
        for (text, expected) in [
            (GIVEN.to_owned(), Some(true)),
            (GIVEN.replace("-01", "-00"), Some(false)),
            // Level 2: the random flag is passed on; flags that nobody knows are not.
            (GIVEN.replace("-01", "-03"), Some(true)),
            (GIVEN.replace("-01", "-fe"), Some(false)),
            // A later version may have more.
            (GIVEN.replacen("00", "cc", 1), Some(true)),
            (format!("{}-what-the-future-brings", GIVEN.replacen("00", "cc", 1)), Some(true)),
            (format!("{}.what", GIVEN.replacen("00", "cc", 1)), None),
            (format!("{GIVEN}-more"), None),
            (GIVEN.replacen("00", "ff", 1), None),
            (GIVEN.to_uppercase(), None),
            (GIVEN.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)), None),
            (GIVEN.replace("b7ad6b7169203331", &"0".repeat(16)), None),
            (GIVEN.replace("b7ad6b7169203331", "b7ad6b716920333"), None),
            (GIVEN.replace('-', "_"), None),
            ("00-ä".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(TraceContext::parse(&text).map(|context| context.is_sampled()), expected, "{text}");
        }
        assert_eq!(TraceContext::parse(&GIVEN.replace("-01", "-ff")).unwrap().flags(), 3);
    }

    #[test]
    fn two_traceparents_are_none_and_tracestates_are_one_list() {
        let read = |parents: &[&'static str], states: &[&'static str]| {
            RemoteContext::read(parents.iter().copied(), states.iter().copied())
        };
        let state = |states: &[&'static str]| read(&[GIVEN], states).unwrap().state.map(|state| state.to_string());
        assert_eq!(read(&[], &["a=1"]), None);
        assert_eq!(read(&[GIVEN, GIVEN], &[]), None);
        assert_eq!(state(&["a=1, b=2", "", "c=3"]).as_deref(), Some("a=1,b=2,c=3"));
        for unreadable in ["", "a", "=1", "a=1=2", "a=\u{e4}"] {
            assert_eq!(state(&[unreadable]), None, "{unreadable}");
        }
        let many: &'static str = Box::leak(vec!["a=1"; 33].join(",").into_boxed_str());
        assert_eq!(state(&[many]), None);
    }

    #[test]
    fn of_a_tracestate_that_is_too_long_large_members_go_first_then_the_last() {
        let state = |members: &[&str]| {
            let header = members.join(",");
            RemoteContext::read([GIVEN].into_iter(), [header.as_str()].into_iter()).unwrap().state
        };
        let member = |name: &str, length: usize| format!("{name}={}", "x".repeat(length - name.len() - 1));
        let large = member("a", 129);
        let usual = ["b", "c", "d", "e"].map(|name| member(name, 128));
        let [first, second, third, last] = usual.each_ref().map(String::as_str);
        let kept = |members: &[&str]| Some(members.join(","));
        for (sent, expected) in [
            (&[first, second, third, "e=1"][..], &[first, second, third, "e=1"][..]),
            (&[&large, first, second, third], &[first, second, third]),
            (&[first, second, third, last], &[first, second, third]),
            // Large ones are kept where there is room.
            (&[&large, first, "c=1"], &[&large, first, "c=1"]),
        ] {
            assert_eq!(state(sent).as_deref(), kept(expected).as_deref());
        }
        assert_eq!(state(&[&member("a", 600)]), None);
    }

    #[test]
    fn every_span_has_an_id_of_its_own_in_the_trace_of_its_parent() {
        let root = TraceContext::start(|_| true);
        let child = root.child();
        assert_eq!((child.trace_id, child.is_sampled()), (root.trace_id, true));
        assert_ne!(child.span_id, root.span_id);
        assert_ne!(TraceContext::start(|_| true).trace_id, root.trace_id);
        let unsampled = TraceContext::start(|_| false);
        assert!(!unsampled.is_sampled());
    }
}
