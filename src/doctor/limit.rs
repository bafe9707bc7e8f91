//! The time that a question may take.

use std::time::Duration;

/// For each question: a person waits for the answer, and a side that needs longer is at fault itself.
const LIMIT: Duration = Duration::from_secs(20);

/// The answer to a question, or that there is none in time.
pub async fn within_limit<T>(question: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let late = |_| format!("no answer within {} s", LIMIT.as_secs());
    tokio::time::timeout(LIMIT, question).await.map_err(late)?
}
