// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.vote;

import dev.entente.core.json.Json;
import dev.entente.core.vote.Poll.Cast;
import java.util.ArrayList;
import java.util.List;

/**
 * How a vote ended, with all that is needed to check it without any node: the question, who had a
 * vote, and the ballots that decided.
 */
public record Certificate(
    Question question,
    Electorate electorate,
    Json value,
    List<Ballot> ballots,
    List<Poll.Equivocation> equivocations) {
  public Certificate {
    ballots = List.copyOf(ballots);
    equivocations = List.copyOf(equivocations);
  }

  /** What is wrong with it; empty where it proves its decision. */
  public List<String> problems() {
    List<String> problems = new ArrayList<>();
    Poll poll = Poll.open(question, electorate);
    for (Ballot ballot : ballots) {
      switch (poll.cast(ballot)) {
        case Cast.Counted(Poll counted) -> {
          if (counted.ballots().equals(poll.ballots())) {
            problems.add(ballot.voter() + " is counted twice");
          }
          poll = counted;
        }
        case Cast.Equivocated(Poll without, _) -> {
          problems.add(ballot.voter() + " is counted for two values");
          poll = without;
        }
        case Cast.Refused(String why) -> problems.add(why);
      }
    }
    if (poll.decided().filter(value::equals).isEmpty()) {
      problems.add(
          "the ballots for this value weigh "
              + poll.tally().getOrDefault(value, 0L)
              + "; a decision needs "
              + electorate.quorum()
              + " of "
              + electorate.weight());
    }
    return problems;
  }

  /** The voters whom nothing but the word of a node stands for. */
  public List<String> unsigned() {
    return ballots.stream().filter(b -> b.signature().isEmpty()).map(Ballot::voter).toList();
  }
}
