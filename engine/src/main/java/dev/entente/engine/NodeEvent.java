// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.record.RecordKey;
import dev.entente.core.resolve.Resolution;
import java.util.List;

/**
 * What observers of a node are told, after it is durable. Observers must be quick and must not
 * throw.
 */
public sealed interface NodeEvent {
  /** A write was answered. {@code nanos} is the time from being queued to being durable. */
  record Answered(RecordKey key, Outcome outcome, long nanos) implements NodeEvent {}

  /** A version from another node met a conflict here. */
  record Met(RecordKey key, List<Resolution> resolutions) implements NodeEvent {}

  /** A conflict was left for a person. */
  record ReviewOpened(Review review) implements NodeEvent {}

  /** A review was given to somebody. */
  record ReviewAssigned(Review review) implements NodeEvent {}

  /** A review waited too long, and goes to the next who is named for that. */
  record ReviewEscalated(Review review) implements NodeEvent {}

  /** One of two persons has decided. */
  record ReviewApproved(Review review, ReviewSheet.Approval approval) implements NodeEvent {}

  /** A review was decided, ignored, or moved on. */
  record ReviewClosed(Review review) implements NodeEvent {}

  /** A version from another node contradicts what is known of causality. */
  record Violated(RecordKey key, CausalViolation how) implements NodeEvent {}

  /** Records hold more together than a limit allows. */
  record Contended(RecordKey key, Resolution resolution) implements NodeEvent {}

  /** A voter signed two different values for one question. */
  record Equivocated(RecordKey key, String voter) implements NodeEvent {}

  /** A batch was committed. */
  record Committed(int requests, long bytes, long nanos) implements NodeEvent {}
}
