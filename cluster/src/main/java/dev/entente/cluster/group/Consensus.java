// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster.group;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * A log that a group of nodes agrees on, entry by entry. What a host must keep: every member
 * applies the same entries in the same order, each at least once from its last snapshot on; an
 * entry whose proposal has completed is never lost while a majority of the members keep their
 * disks. Thread-safe.
 */
public interface Consensus extends AutoCloseable {
  /**
   * Appends an entry.
   *
   * @return what {@link AgreedLog#apply} answered here. It fails with {@link NotLeadingException}
   *     where another member leads or none, and nothing was appended; with any other exception
   *     where it cannot be known whether the entry was or will be appended
   */
  CompletableFuture<byte[]> propose(byte[] entry);

  /** Completes once all that was agreed on before this call is applied here. */
  CompletableFuture<Void> barrier();

  /** How the group is, as this member sees it. */
  Standing standing();

  /** Where each member listens for the others, by name; empty where they need no addresses. */
  default Map<String, String> addresses() {
    return Map.of();
  }

  /**
   * Changes who the members are, on the one that leads. Who comes new waits to be let in, and has
   * caught up when this completes; who goes is told nothing more.
   *
   * @param voters where each member listens from here on, by name
   * @return fails with {@link NotLeadingException} where nothing was done, with {@link
   *     dev.entente.cluster.UnavailableException} where the group could not be changed so
   */
  default CompletableFuture<Void> change(Map<String, String> voters) {
    return CompletableFuture.failedFuture(
        new UnsupportedOperationException("the members of this group stay"));
  }

  /** Whether this member still takes part; one that does not has to be started again. */
  default boolean isRunning() {
    return true;
  }

  @Override
  void close();

  /**
   * How a group is.
   *
   * @param leader the name of the node that leads, as far as this member has heard lately
   * @param leading whether that is this node
   * @param term the number of the election
   * @param voters the names of all members, as far as this one has heard
   */
  record Standing(Optional<String> leader, boolean leading, long term, List<String> voters) {
    public Standing {
      voters = List.copyOf(voters);
    }
  }
}
