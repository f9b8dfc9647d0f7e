// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonBool;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code entente account}. */
@Command(
    name = "account",
    description =
        "Says who may call and what they may do. A grant is ROLE@TENANT, ROLE@TENANT/TYPE or ROLE@*, with a role of reader, writer, delegate (writes on behalf of others), reviewer, operator, auditor, admin.",
    subcommands = {
      AccountCommand.ListAll.class,
      AccountCommand.Show.class,
      AccountCommand.Put.class,
      AccountCommand.Remove.class,
      AccountCommand.IssueToken.class,
      AccountCommand.Revoke.class,
      AccountCommand.WhoAmI.class
    })
final class AccountCommand implements Runnable {
  private static final String ACCOUNTS = "/v1/cluster/accounts";

  @picocli.CommandLine.Spec picocli.CommandLine.Model.CommandSpec spec;

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }

  private static String path(String name) {
    return ACCOUNTS + "/" + Client.escaped(name);
  }

  private static String line(Json account) {
    StringBuilder line = new StringBuilder(Calling.text(account, "name"));
    for (Json grant : Calling.list(account, "grants")) {
      line.append("  ").append(grant instanceof JsonString(String text) ? text : "");
    }
    return Calling.member(account, "disabled").equals(JsonBool.TRUE)
        ? line.append("  (disabled)").toString()
        : line.toString();
  }

  /** {@code entente account list}. */
  @Command(name = "list", description = "Lists the accounts with their grants.")
  static final class ListAll extends Calling {
    @Override
    Integer run(Client client, PrintWriter out) {
      client.pages(
          ACCOUNTS + "?limit=1000",
          page -> {
            if (json) {
              out.println(page);
            } else {
              list(page, "accounts").forEach(account -> out.println(line(account)));
            }
          });
      return ExitCodes.OK;
    }
  }

  /** {@code entente account show}. */
  @Command(name = "show", description = "Shows an account with its tokens.")
  static final class Show extends Calling {
    @Parameters(paramLabel = "NAME")
    String name;

    @Override
    Integer run(Client client, PrintWriter out) {
      Json account = client.get(path(name));
      if (json) {
        out.println(account);
        return ExitCodes.OK;
      }
      out.println(line(account));
      for (Json token : list(account, "tokens")) {
        out.println(
            "  token "
                + text(token, "id")
                + ", made "
                + text(token, "createdAt")
                + (text(token, "expiresAt").isEmpty()
                    ? ""
                    : ", holds until " + text(token, "expiresAt"))
                + (text(token, "note").isEmpty() ? "" : ": " + text(token, "note")));
      }
      return ExitCodes.OK;
    }
  }

  /** {@code entente account put}. */
  @Command(name = "put", description = "Makes an account, or says anew what it may do.")
  static final class Put extends Calling {
    @Parameters(index = "0", paramLabel = "NAME")
    String name;

    @Parameters(index = "1..*", paramLabel = "GRANT", description = "Such as writer@main.")
    List<String> grants = List.of();

    @Option(names = "--disabled", description = "Keep its holder out for now.")
    boolean disabled;

    @Override
    Integer run(Client client, PrintWriter out) {
      Json body =
          JsonObject.of(
              Map.of(
                  "grants", Json.of(grants.stream().map(Json::of).toList()),
                  "disabled", Json.of(disabled)));
      Json account = client.json("PUT", path(name), Optional.of(body.toString()));
      out.println(json ? account.toString() : line(account));
      return ExitCodes.OK;
    }
  }

  /** {@code entente account remove}. */
  @Command(name = "remove", description = "Ends an account with all its tokens.")
  static final class Remove extends Calling {
    @Parameters(paramLabel = "NAME")
    String name;

    @Override
    Integer run(Client client, PrintWriter out) {
      Json answer = client.json("DELETE", path(name), Optional.empty());
      out.println(json ? answer.toString() : name + " has no account any more");
      return ExitCodes.OK;
    }
  }

  /** {@code entente account token}. */
  @Command(
      name = "token",
      description = "Makes a token for an account and prints it, once; only a hash is kept.")
  static final class IssueToken extends Calling {
    @Parameters(paramLabel = "NAME")
    String name;

    @Option(
        names = "--expires-in",
        paramLabel = "DURATION",
        description = "How long it holds, such as 90d or 12h (default: until it is revoked).")
    String expiresIn = "";

    @Option(names = "--note", paramLabel = "TEXT", description = "What it is for.")
    String note = "";

    @Override
    Integer run(Client client, PrintWriter out) {
      Map<String, Json> body = new TreeMap<>();
      body.put("note", Json.of(note));
      if (!expiresIn.isEmpty()) {
        body.put("expiresIn", Json.of(expiresIn));
      }
      Json issued =
          client.json("POST", path(name) + "/tokens", Optional.of(JsonObject.of(body).toString()));
      out.println(json ? issued.toString() : text(issued, "token"));
      return ExitCodes.OK;
    }
  }

  /** {@code entente account revoke}. */
  @Command(
      name = "revoke",
      description = "Revokes a token: it is refused here at once, at other nodes within seconds.")
  static final class Revoke extends Calling {
    @Parameters(index = "0", paramLabel = "NAME")
    String name;

    @Parameters(index = "1", paramLabel = "TOKEN", description = "Its id, as show lists it.")
    String token;

    @Override
    Integer run(Client client, PrintWriter out) {
      Json answer =
          client.json("DELETE", path(name) + "/tokens/" + Client.escaped(token), Optional.empty());
      out.println(json ? answer.toString() : token + " is revoked");
      return ExitCodes.OK;
    }
  }

  /** {@code entente account whoami}. */
  @Command(name = "whoami", description = "Shows whom ENTENTE_TOKEN is of, and what they may do.")
  static final class WhoAmI extends Calling {
    @Override
    Integer run(Client client, PrintWriter out) {
      Json me = client.get("/v1/whoami");
      out.println(json ? me.toString() : line(me) + "  at " + text(me, "node"));
      return ExitCodes.OK;
    }
  }
}
