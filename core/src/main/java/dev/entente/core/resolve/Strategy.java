// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve;

/**
 * Settles competing assignments of one unit: a small pure function. It must depend on the dispute
 * alone (no clock, no randomness, no I/O), must not depend on the order of arrival, and must answer
 * every dispute, if only that it is unable. Thread-safe.
 */
public interface Strategy {
  /** Its name in policies. */
  String name();

  /** How it settles a tie, in one sentence; part of its contract and of the documentation. */
  String tieBreak();

  Verdict decide(Dispute dispute);
}
