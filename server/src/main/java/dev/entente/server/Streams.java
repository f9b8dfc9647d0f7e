// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.server.Problem.Code;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * How many streams are open, and requests wait for something to come: of one credential and of one
 * tenant only a part of all, so that none keeps the others out. Thread-safe.
 */
final class Streams {
  private final int max;
  private final Map<String, Integer> open = new HashMap<>();
  private int all;

  /** With room for so many, half of them for one tenant, a quarter for one credential. */
  Streams(int max) {
    this.max = max;
  }

  /** Counts one more, or refuses it. */
  synchronized void open(String tenant, String caller) {
    if (all >= max) {
      throw new Problem(
          Code.TOO_FAST, "more than " + max + " streams and waiting requests are open");
    }
    if (open.getOrDefault(ofTenant(tenant), 0) >= max / 2) {
      throw new Problem(
          Code.TOO_FAST,
          "more than " + max / 2 + " streams and waiting requests of " + tenant + " are open");
    }
    if (open.getOrDefault(ofCaller(caller), 0) >= max / 4) {
      throw new Problem(
          Code.TOO_FAST,
          caller + " has more than " + max / 4 + " streams and waiting requests open; close some");
    }
    all++;
    open.merge(ofTenant(tenant), 1, Integer::sum);
    open.merge(ofCaller(caller), 1, Integer::sum);
  }

  /** Does what waits, counted as a stream for as long as it does. */
  <T> T within(String tenant, String caller, Supplier<T> waits) {
    open(tenant, caller);
    try {
      return waits.get();
    } finally {
      closed(tenant, caller);
    }
  }

  synchronized void closed(String tenant, String caller) {
    all--;
    open.computeIfPresent(ofTenant(tenant), (_, count) -> count == 1 ? null : count - 1);
    open.computeIfPresent(ofCaller(caller), (_, count) -> count == 1 ? null : count - 1);
  }

  private static String ofTenant(String tenant) {
    return "t" + tenant;
  }

  private static String ofCaller(String caller) {
    return "c" + caller;
  }
}
