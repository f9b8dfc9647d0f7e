// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.HybridTime;
import dev.entente.core.json.Json;

/**
 * One line of the audit log: who did what to what, and what came of it.
 *
 * @param sequence counts from 1 without gaps
 * @param action {@code write}, {@code rejected}, {@code decision}, {@code policy}, {@code review},
 *     {@code freeze}, {@code thaw}
 * @param subject the record's key, the policy's type, or the scope
 */
public record AuditEntry(
    long sequence,
    HybridTime time,
    String tenant,
    String actor,
    String action,
    String subject,
    Json detail) {}
