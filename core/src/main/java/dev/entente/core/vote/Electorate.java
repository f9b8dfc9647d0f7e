// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.vote;

import dev.entente.core.SortedArrayMap;
import java.util.Collection;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Who votes, and how much agreement decides.
 *
 * <p>Without faulty voters more than half of the weight decides: two choices never both have it.
 * With up to {@code f} voters who may lie (say one thing here and another there), any two quorums
 * must share a voter who does not: {@code (n + f) / 2 + 1} of {@code n} voters, which is {@code 2f
 * + 1} of {@code 3f + 1}. Source: Castro, Liskov, <i>Practical Byzantine fault tolerance</i>, 1999.
 *
 * @param voters by name
 * @param faulty how many of them may lie; their ballots are then signed
 */
public record Electorate(SortedArrayMap<String, Voter> voters, int faulty) {
  public static final int VOTERS_MAX = 100;

  public Electorate {
    if (voters.isEmpty() || voters.size() > VOTERS_MAX) {
      throw new IllegalArgumentException("a vote has between 1 and " + VOTERS_MAX + " voters");
    }
    if (faulty < 0 || voters.size() < 3 * faulty + 1) {
      throw new IllegalArgumentException(
          faulty + " faulty voters need at least " + (3 * faulty + 1) + " voters");
    }
    if (faulty > 0
        && voters.values().stream().anyMatch(v -> v.key().isEmpty() || v.weight() != 1)) {
      throw new IllegalArgumentException(
          "where voters may be faulty each has a key, and none has more weight than another");
    }
  }

  public static Electorate of(Collection<Voter> voters, int faulty) {
    TreeMap<String, Voter> byName = new TreeMap<>();
    voters.forEach(voter -> byName.put(voter.name(), voter));
    return new Electorate(SortedArrayMap.copyOf(byName), faulty);
  }

  public Optional<Voter> voter(String name) {
    return Optional.ofNullable(voters.get(name));
  }

  /** The weight of all together. */
  public long weight() {
    long sum = 0;
    for (Voter voter : voters.values()) {
      sum += voter.weight();
    }
    return sum;
  }

  /** The weight that one choice needs. */
  public long quorum() {
    return (weight() + faulty) / 2 + 1;
  }
}
