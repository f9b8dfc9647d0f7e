// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.vote;

import dev.entente.core.SortedArrayMap;
import dev.entente.core.json.Json;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * A vote as it stands: one ballot a voter. A voter who signs two different choices in one round has
 * equivocated: both ballots are kept as evidence and neither counts. Immutable.
 */
public record Poll(
    Question question,
    Electorate electorate,
    SortedArrayMap<String, Ballot> ballots,
    List<Equivocation> equivocations) {

  /** Two choices that one voter signed for the same question. */
  public record Equivocation(Ballot first, Ballot second) {
    public String voter() {
      return first.voter();
    }
  }

  /** What became of a ballot. */
  public sealed interface Cast {
    /** It counts. */
    record Counted(Poll poll) implements Cast {}

    /** Its voter said something else before; none of the two counts. */
    record Equivocated(Poll poll, Equivocation evidence) implements Cast {}

    /** It is no ballot of this vote. */
    record Refused(String why) implements Cast {}
  }

  public Poll {
    equivocations = List.copyOf(equivocations);
  }

  public static Poll open(Question question, Electorate electorate) {
    return new Poll(question, electorate, SortedArrayMap.empty(), List.of());
  }

  /** The next round: nobody has voted. Evidence of lies stays. */
  public Poll nextRound() {
    return new Poll(question.next(), electorate, SortedArrayMap.empty(), equivocations);
  }

  /** Counts a ballot, if it is genuine and its voter has not voted. */
  public Cast cast(Ballot ballot) {
    Optional<Voter> voter = electorate.voter(ballot.voter());
    if (voter.isEmpty()) {
      return new Cast.Refused(ballot.voter() + " has no vote here");
    }
    if (!ballot.isGenuine(question, voter.get())) {
      return new Cast.Refused(
          voter.get().key().isPresent()
              ? "the signature is not that of " + ballot.voter() + " under this question and value"
              : ballot.voter() + " has no key in the policy, so a signature proves nothing");
    }
    if (hasLied(ballot.voter())) {
      return new Cast.Refused(ballot.voter() + " signed two different choices; none counts");
    }
    Ballot before = ballots.get(ballot.voter());
    if (before == null) {
      return new Cast.Counted(
          new Poll(question, electorate, ballots.with(ballot.voter(), ballot), equivocations));
    }
    if (before.value().equals(ballot.value())) {
      return new Cast.Counted(this);
    }
    if (voter.get().key().isEmpty()) {
      return new Cast.Refused(ballot.voter() + " has voted; a vote is not changed");
    }
    Equivocation evidence = new Equivocation(before, ballot);
    List<Equivocation> all = Stream.concat(equivocations.stream(), Stream.of(evidence)).toList();
    return new Cast.Equivocated(
        new Poll(question, electorate, ballots.without(ballot.voter()), all), evidence);
  }

  private boolean hasLied(String voter) {
    return equivocations.stream().anyMatch(lie -> lie.voter().equals(voter));
  }

  /** The weight behind each value. */
  public Map<Json, Long> tally() {
    Map<Json, Long> tally = new TreeMap<>();
    for (Ballot ballot : ballots.values()) {
      long weight = electorate.voter(ballot.voter()).map(Voter::weight).orElse(0);
      tally.merge(ballot.value(), weight, Long::sum);
    }
    return tally;
  }

  /** The value that has its quorum, if one does; no two can. */
  public Optional<Json> decided() {
    return tally().entrySet().stream()
        .filter(choice -> choice.getValue() >= electorate.quorum())
        .map(Map.Entry::getKey)
        .findFirst();
  }

  /** True where no value can reach the quorum any more, whoever votes. */
  public boolean isHung() {
    long outstanding = electorate.weight();
    long most = 0;
    for (long weight : tally().values()) {
      outstanding -= weight;
      most = Math.max(most, weight);
    }
    for (Equivocation lie : equivocations) {
      outstanding -= electorate.voter(lie.voter()).map(Voter::weight).orElse(0);
    }
    return most + outstanding < electorate.quorum();
  }

  /** The proof of the decision, if there is one. */
  public Optional<Certificate> certificate() {
    return decided()
        .map(value ->
            new Certificate(
                question,
                electorate,
                value,
                ballots.values().stream().filter(b -> b.value().equals(value)).toList(),
                equivocations));
  }
}
