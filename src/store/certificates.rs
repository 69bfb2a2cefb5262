//! Certificates that signed authentic messages, by the address they were fetched from.

use super::{Store, StoreError, at};
use jiff::Timestamp;

/// Certificates kept. AWS has one per region, and a second while it changes them.
const MAX_CERTIFICATES: i64 = 64;

/// A certificate that signed an authentic message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptCertificate {
    /// Where it was fetched.
    pub address: String,
    /// What was there, in DER.
    pub der: Vec<u8>,
    pub fetched_at: Timestamp,
}

impl Store {
    /// The certificates that are kept, the newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn certificates(&self) -> Result<Vec<KeptCertificate>, StoreError> {
        let rows: Vec<(String, Vec<u8>, i64)> =
            sqlx::query_as("SELECT address, der, fetched_at FROM certificates ORDER BY fetched_at DESC")
                .fetch_all(&self.readers)
                .await?;
        let kept = rows.into_iter().map(|(address, der, fetched)| KeptCertificate { address, der, fetched_at: at(fetched) });
        Ok(kept.collect())
    }

    /// Keeps a certificate under its address; of many, the newest.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_certificate(&self, kept: &KeptCertificate) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "INSERT INTO certificates (address, der, fetched_at) VALUES ($1, $2, $3)
             ON CONFLICT (address) DO UPDATE SET der = excluded.der, fetched_at = excluded.fetched_at",
        )
        .bind(&kept.address)
        .bind(&kept.der)
        .bind(kept.fetched_at.as_millisecond())
        .execute(&mut *tx)
        .await?;
        sqlx::query(
            "DELETE FROM certificates WHERE address NOT IN (SELECT address FROM certificates ORDER BY fetched_at DESC LIMIT $1)",
        )
        .bind(MAX_CERTIFICATES)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }
}
