//! Rows with a condition, and targets of several rows: at most one value comes of them.

use super::Evaluation;
use super::mistake::conflict;
use super::rule_value::RuleValue;
use super::trace::FieldTrace;
use crate::cart::Scope;
use crate::mapping::sheet::{Rule, When};
use crate::message::Message;

/// A row that counts, and what came of it.
type Counting<'a> = (&'a Rule, Result<RuleValue<'a>, Vec<Message>>);

impl<'a> Evaluation<'a> {
    /// Writes a target whose first row has a condition. The rows that count have one value; if none does, the row without
    /// a condition counts. Where no row counts there is no target, and nothing is refused.
    pub(super) fn conditional_field(&mut self, first: &'a Rule, scope: Scope) -> bool {
        let mut counting: Vec<Counting<'a>> = Vec::new();
        for rule in first.rows() {
            let result = match &rule.when {
                None if counting.is_empty() => self.common_value(rule, scope).map(Some),
                None => continue,
                Some(when) => self.conditional_value(rule, when, scope),
            };
            match result {
                Ok(Some(value)) => counting.push((rule, Ok(value))),
                Err(mistakes) => counting.push((rule, Err(mistakes))),
                Ok(None) => {
                    if let Some(trace) = &mut self.trace {
                        trace.push(FieldTrace::of_uncounted(rule, self.path.clone()));
                    }
                }
            }
        }
        let Some((rule, result)) = self.only(first, scope, counting) else { return false };
        self.finish_field(rule, scope, result)
    }

    /// The one of the rows that counts; several that have one value are one. Mistakes count before values.
    fn only(&self, first: &Rule, scope: Scope, counting: Vec<Counting<'a>>) -> Option<Counting<'a>> {
        let mut kept: Option<(&'a Rule, RuleValue<'a>)> = None;
        let mut faulty: Option<(&'a Rule, Vec<Message>)> = None;
        for (rule, result) in counting {
            match (result, &kept, &mut faulty) {
                (Err(more), _, Some((_, mistakes))) => mistakes.extend(more),
                (Err(mistakes), _, None) => faulty = Some((rule, mistakes)),
                (Ok(value), Some((earlier, other)), None) if other.value != value.value => {
                    let rows = [(*earlier, other), (rule, &value)];
                    faulty = Some((rule, vec![conflict(&self.rules.cart, first, scope, rows)]));
                }
                (Ok(value), None, _) => kept = Some((rule, value)),
                (Ok(_), Some(_), _) => {}
            }
        }
        let faulty = faulty.map(|(rule, mistakes)| (rule, Err(mistakes)));
        faulty.or_else(|| kept.map(|(rule, value)| (rule, Ok(value))))
    }

    /// The value of a row with a condition, `None` where it does not count. A condition on what is below the target is
    /// judged there: the parts in which it holds have to agree, and the others have no say.
    fn conditional_value(
        &self,
        rule: &'a Rule,
        when: &When,
        scope: Scope,
    ) -> Result<Option<RuleValue<'a>>, Vec<Message>> {
        let mut scopes = self.scopes_at(scope, when.depth().max(rule.depth));
        if scopes.is_empty() {
            let holds = self.rules.holds(rule, when, scope).map_err(|mistake| vec![*mistake])?;
            return if holds { self.value_in(rule, scope, scopes).map(Some) } else { Ok(None) };
        }
        let mut mistakes = Vec::new();
        scopes.retain(|scope| {
            self.rules.holds(rule, when, *scope).unwrap_or_else(|mistake| {
                mistakes.push(*mistake);
                false
            })
        });
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        if scopes.is_empty() {
            return Ok(None);
        }
        self.value_in(rule, scope, scopes).map(Some)
    }
}
