//! `target.rejected_codes` and `target.transient_codes`: the error codes that say more than a status.

use crate::config::reader::Reader;
use crate::order::vms_response::ResponseRules;

const REJECTED: &str = "target.rejected_codes";
const TRANSIENT: &str = "target.transient_codes";

/// Reads both lists. A code of both is a mistake; a refusal that is set takes the code from the profile's transient ones.
pub fn read_codes(reader: &mut Reader, defaults: &ResponseRules) -> Option<(Vec<String>, Vec<String>)> {
    let rejected = reader.texts(REJECTED, defaults.rejected_codes.clone(), "error codes");
    let transient = reader.texts(TRANSIENT, defaults.transient_codes.clone(), "error codes");
    let (rejected, mut transient) = (rejected?, transient?);
    let both: Vec<&str> = transient.iter().filter(|code| rejected.contains(code)).map(String::as_str).collect();
    if reader.is_set(TRANSIENT) && !both.is_empty() {
        let problem = format!("{} is in {REJECTED} as well; expected it in one of both", both.join(", "));
        reader.report(TRANSIENT, &problem);
        return None;
    }
    transient.retain(|code| !rejected.contains(code));
    Some((rejected, transient))
}
