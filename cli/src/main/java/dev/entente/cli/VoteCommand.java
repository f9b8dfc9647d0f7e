// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.FieldRule;
import dev.entente.core.policy.Policy;
import dev.entente.core.policy.PolicyLoader;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.policy.StrategySpec;
import dev.entente.core.vote.Ballot;
import dev.entente.core.vote.Certificate;
import dev.entente.core.vote.Electorate;
import dev.entente.core.vote.Keys;
import dev.entente.core.vote.Question;
import dev.entente.engine.VoteJson;
import dev.entente.engine.json.JsonReader;
import dev.entente.engine.store.Folders;
import dev.entente.engine.store.SettingFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code entente vote}. */
@Command(
    name = "vote",
    description = "Votes on conflicts, makes the keys for it, and checks how votes ended.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {VoteCommand.Cast.class, VoteCommand.Key.class, VoteCommand.Check.class})
final class VoteCommand implements Runnable {
  @Spec CommandSpec spec;

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }

  /** {@code entente vote cast}. */
  @Command(name = "cast", description = "Casts a vote on a conflict that the policy has voted on.")
  static final class Cast extends Calling {
    @Parameters(paramLabel = "REVIEW")
    String review;

    @Option(
        names = "--choose",
        paramLabel = "INDEX",
        description = "One of the competing values, counted from 0.")
    @Nullable Integer choose;

    @Option(names = "--value", paramLabel = "JSON", description = "A value of your own.")
    @Nullable String value;

    @Option(names = "--voter", paramLabel = "NAME", required = true, description = "Who votes.")
    String voter;

    @Option(
        names = "--key",
        paramLabel = "FILE",
        description = "The voter's private key, where the policy gives them a public one.")
    @Nullable Path key;

    @Override
    Integer run(Client client, PrintWriter out) throws IOException {
      if ((choose == null) == (value == null)) {
        throw new IllegalArgumentException("give one of --choose and --value");
      }
      Map<String, Json> body = new TreeMap<>();
      body.put("voter", Json.of(voter));
      if (choose != null) {
        body.put("choose", Json.of(choose));
      }
      if (value != null) {
        body.put("value", JsonReader.strict().read(value));
      }
      if (key != null) {
        Json conflict = client.get(client.path("reviews", review));
        String text = SettingFile.secret("--key", key);
        body.put("signature", Json.of(Keys.sign(statement(conflict), text)));
      }
      Json answer =
          JsonReader.strict()
              .read(
                  client.send(
                      "POST",
                      client.path("reviews", review, "vote"),
                      Optional.of(JsonObject.of(body).toString()),
                      Map.of("Entente-Author", Client.escaped(voter))));
      out.println(json ? answer : summary(answer));
      return ExitCodes.OK;
    }

    private byte[] statement(Json shown) {
      Json vote = member(shown, "vote");
      if (!(vote instanceof JsonObject) || !(member(vote, "round") instanceof JsonNumber round)) {
        throw new IllegalArgumentException("the policy calls no vote on this; entente decide it");
      }
      Question question =
          new Question(text(vote, "conflict"), text(vote, "policy"), (int) round.longValue());
      return question.statement(voter, chosen(shown));
    }

    private Json chosen(Json shown) {
      if (value != null) {
        return JsonReader.strict().read(value);
      }
      int index = 0;
      for (Json competing : list(member(shown, "conflict"), "competing")) {
        if (choose != null && index++ == choose) {
          return member(competing, "removed").equals(Json.of(true))
              ? JsonAbsent.ABSENT
              : member(competing, "value");
        }
      }
      throw new IllegalArgumentException("there are " + index + " competing values, from 0");
    }

    private static String summary(Json answer) {
      Json vote = member(answer, "vote");
      return text(answer, "status").equals("resolved")
          ? "decided: " + member(member(answer, "record"), "data")
          : "counted: "
              + member(vote, "tally")
              + ", "
              + member(vote, "quorum")
              + " of "
              + member(vote, "of")
              + " decide; outstanding are "
              + member(vote, "outstanding");
    }
  }

  /** {@code entente vote key}. */
  @Command(
      name = "key",
      description = {
        "Makes a voter's key: the private one goes to FILE, which only its owner may read,",
        "the public one is printed, for the policy."
      })
  static final class Key implements Callable<Integer> {
    @Spec CommandSpec spec;

    @Parameters(paramLabel = "FILE")
    Path file;

    @Override
    public Integer call() throws IOException {
      try {
        KeyPair pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        Folders.createFile(file);
        Files.writeString(file, text(pair.getPrivate()) + "\n", StandardOpenOption.WRITE);
        spec.commandLine().getOut().println(text(pair.getPublic()));
        return ExitCodes.OK;
      } catch (java.nio.file.FileAlreadyExistsException e) {
        spec.commandLine().getErr().println(file + " exists; a key is never written over");
        return ExitCodes.BAD_INPUT;
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException("every Java platform has Ed25519", e);
      }
    }

    private static String text(java.security.Key key) {
      return Base64.getEncoder().encodeToString(key.getEncoded());
    }
  }

  /** {@code entente vote check}. */
  @Command(
      name = "check",
      description = {
        "Checks a certificate without any node: the certificate of a review, or the answer that",
        "holds it, as JSON. With --policy the voters and keys are those of your own copy."
      })
  static final class Check implements Callable<Integer> {
    @Spec CommandSpec spec;

    @Parameters(paramLabel = "FILE")
    Path file;

    @Option(names = "--policy", paramLabel = "FILE", description = "The policy to be trusted.")
    @Nullable Path policy;

    @Override
    public Integer call() throws IOException {
      PrintWriter out = spec.commandLine().getOut();
      try {
        Json json = JsonReader.strict().read(Files.readString(file));
        Json inside = Calling.member(json, "certificate");
        Certificate certificate = VoteJson.certificate(inside.isAbsent() ? json : inside);
        List<String> problems = new ArrayList<>(certificate.problems());
        if (policy != null && !electorates().contains(certificate.electorate())) {
          problems.add("its voters are not those that " + policy + " names");
        }
        problems.forEach(problem -> out.println("not proven: " + problem));
        if (problems.isEmpty()) {
          report(certificate, out);
        }
        out.flush();
        return problems.isEmpty() ? ExitCodes.OK : ExitCodes.NEEDS_REVIEW;
      } catch (dev.entente.engine.json.JsonProblem | IllegalArgumentException | PolicyException e) {
        spec.commandLine().getErr().println(e.getMessage());
        return ExitCodes.BAD_INPUT;
      }
    }

    private void report(Certificate certificate, PrintWriter out) {
      out.println(
          "proven: "
              + (certificate.value().isAbsent() ? "the removal" : certificate.value())
              + " was chosen by "
              + String.join(", ", certificate.ballots().stream().map(Ballot::voter).toList())
              + " ("
              + certificate.electorate().quorum()
              + " of "
              + certificate.electorate().weight()
              + " decide)");
      if (!certificate.unsigned().isEmpty()) {
        out.println("only the node's word stands for " + String.join(", ", certificate.unsigned()));
      }
      certificate
          .equivocations()
          .forEach(lie -> out.println(lie.voter() + " signed two different values"));
      if (policy == null) {
        out.println("the keys are the certificate's own; --policy checks them against yours");
      }
    }

    private List<Electorate> electorates() throws IOException, PolicyException {
      Policy trusted =
          PolicyLoader.load(Files.readString(java.util.Objects.requireNonNull(policy))).policy();
      List<StrategySpec> specs = new ArrayList<>();
      specs.add(trusted.fallback());
      trusted.rules().forEach(rule -> specs.add(rule.then()));
      trusted.escalations().forEach(rule -> specs.add(rule.then()));
      trusted.fields().values().stream()
          .map(FieldRule::strategy)
          .forEach(strategy -> strategy.ifPresent(specs::add));
      trusted.groups().forEach(group -> group.strategy().ifPresent(specs::add));
      List<Electorate> electorates = new ArrayList<>();
      for (StrategySpec spec : specs) {
        for (StrategySpec step : spec.chain()) {
          if (step.settings() instanceof StrategySpec.Settings.Voting(var electorate)) {
            electorates.add(electorate);
          }
        }
      }
      return electorates;
    }
  }
}
