// SPDX-License-Identifier: Apache-2.0
package dev.entente.simulation;

import dev.entente.cluster.PullReply;
import dev.entente.engine.Shipment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/** Does what a {@link Mutant} says, at the places where a node meets the world. */
final class Sabotage {
  private final Mutant mutant;
  private int replies;

  Sabotage(Mutant mutant) {
    this.mutant = mutant;
  }

  Mutant mutant() {
    return mutant;
  }

  /** A reply as it comes in. */
  PullReply reply(PullReply reply) {
    Shipment sent = reply.shipment();
    boolean now = ++replies % 5 == 0;
    Shipment got =
        switch (mutant) {
          case DROPPED_VERSION ->
              now && !sent.entries().isEmpty()
                  ? with(sent, sent.entries().subList(1, sent.entries().size()), sent.upTo())
                  : sent;
          case REORDERED_APPLY -> with(sent, swapped(sent.entries()), sent.upTo());
          case CURSOR_AHEAD ->
              now && !sent.entries().isEmpty() ? with(sent, sent.entries(), sent.upTo() + 2) : sent;
          case KNOWLEDGE_AHEAD ->
              new Shipment(
                  sent.from(), sent.after(), sent.entries(), sent.upTo(), true, sent.known());
          case CHANGED_ON_THE_WAY ->
              now && !sent.entries().isEmpty()
                  ? with(sent, changed(sent.entries()), sent.upTo())
                  : sent;
          default -> sent;
        };
    return new PullReply(
        got,
        reply.position(),
        reply.receivedAtMillis(),
        reply.sentAtMillis(),
        reply.members(),
        reply.links(),
        reply.standing(),
        reply.policiesHash(),
        mutant == Mutant.WRONG_TIE_BREAK ? List.of() : reply.policies(),
        reply.removals());
  }

  private static Shipment with(Shipment sent, List<Shipment.Entry> entries, long upTo) {
    return new Shipment(sent.from(), sent.after(), entries, upTo, sent.complete(), sent.known());
  }

  private static List<Shipment.Entry> swapped(List<Shipment.Entry> entries) {
    List<Shipment.Entry> swapped = new ArrayList<>();
    for (int i = 0; i < entries.size(); i++) {
      swapped.add(
          new Shipment.Entry(
              entries.get(i).position(), entries.get(entries.size() - 1 - i).version()));
    }
    return swapped;
  }

  /** A letter of the author's name differs. */
  private static List<Shipment.Entry> changed(List<Shipment.Entry> entries) {
    List<Shipment.Entry> changed = new ArrayList<>(entries);
    byte[] version = entries.getFirst().version().clone();
    for (int i = 0; i + 6 < version.length; i++) {
      if (version[i] == 'c' && version[i + 1] == 'l' && version[i + 2] == 'i') {
        version[i] = 'C';
        break;
      }
    }
    changed.set(0, new Shipment.Entry(entries.getFirst().position(), version));
    return changed;
  }

  /** The policy that a node is given. */
  String policy(String node, String policy) {
    return mutant == Mutant.WRONG_TIE_BREAK && node.equals("a")
        ? policy.replace("last-writer-wins", "first-writer-wins")
        : policy;
  }

  /** The clock of a machine that only ever goes forward. */
  LongSupplier steadyMillis(String machine, LongSupplier right) {
    return mutant == Mutant.SLOW_LEASE_CLOCK && machine.equals("a")
        ? () -> right.getAsLong() / 6
        : right;
  }

  boolean retries() {
    return mutant != Mutant.NO_RETRY;
  }
}
