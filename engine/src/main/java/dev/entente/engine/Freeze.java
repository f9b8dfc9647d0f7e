// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

/**
 * A stop to writing: a whole tenant ({@code tenant}), a type ({@code tenant/type}) or a record
 * ({@code tenant/type/id}). It holds at every node that has heard of it.
 *
 * @param waiting whether writers may wait in line for its end, where they are let; else they are
 *     refused at once
 * @param consistentReads whether only nodes that have what the others have may answer reads
 */
public record Freeze(
    String scope, String reason, String by, boolean waiting, boolean consistentReads) {
  /** A freeze that refuses writes and leaves reads alone. */
  public static Freeze of(String scope, String reason, String by) {
    return new Freeze(scope, reason, by, false, false);
  }
}
