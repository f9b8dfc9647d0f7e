// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

/** What must be true of every record, also of one that a merge made. */
public record Invariant(String name, Condition check, Severity severity) {}
