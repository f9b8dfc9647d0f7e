// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.core.causality.NodeId;
import dev.entente.core.record.RecordKey;
import dev.entente.core.vote.Keys;
import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.regex.Pattern;

/** Checks of values that several options take; each message names the option and what it takes. */
final class Checks {
  private static final int PORT_MAX = 65_535;
  private static final Pattern NODE_NAME = Pattern.compile("[a-zA-Z0-9_-]{1,48}");

  private Checks() {}

  static void requireRange(String option, double number, double least, double greatest) {
    if (!(number >= least && number <= greatest)) {
      throw new IllegalArgumentException(
          option
              + " takes a number from "
              + plain(least)
              + (greatest == Double.MAX_VALUE ? " on" : " to " + plain(greatest))
              + ", not "
              + plain(number));
    }
  }

  static void requireAtLeast(String option, double number, double least) {
    requireRange(option, number, least, Double.MAX_VALUE);
  }

  static void requirePort(String option, int port) {
    requireRange(option, port, 1, PORT_MAX);
  }

  private static String plain(double number) {
    return number == Math.rint(number) && Math.abs(number) < 1e15
        ? String.valueOf((long) number)
        : String.valueOf(number);
  }

  /** Checks the address of a server: http or https, a host, a port and perhaps a path. */
  static URI requireUrl(String option, String url) {
    try {
      URI uri = new URI(url);
      boolean isHttp = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
      boolean hasOthers =
          uri.getRawUserInfo() != null || uri.getRawQuery() != null || uri.getRawFragment() != null;
      if (isHttp && uri.getHost() != null && !hasOthers && uri.getPort() <= PORT_MAX) {
        return uri;
      }
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException(noUrl(option, url), e);
    }
    throw new IllegalArgumentException(noUrl(option, url));
  }

  private static String noUrl(String option, String url) {
    return option + " takes an http or https address, such as http://127.0.0.1:7400, not " + url;
  }

  /** Whether a host is this machine by its address, or by the one name that always means it. */
  static boolean isLocal(String host) {
    try {
      return host.equals("localhost")
          || InetAddress.ofLiteral(host.replaceAll("^\\[|]$", "")).isLoopbackAddress();
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  /** Checks what a node is to be called. */
  static void requireNodeName(String option, String name) {
    if (!NODE_NAME.matcher(name).matches() || new NodeId(name).isGroup()) {
      throw new IllegalArgumentException(
          option
              + " takes 1 to 48 letters, digits, - and _, and not \""
              + NodeId.GROUP
              + "\": not "
              + name);
    }
  }

  /** Checks the name of a tenant whose policies people put. */
  static void requireTenant(String option, String tenant) {
    String problem = RecordKey.problemWith(tenant);
    if (problem != null || tenant.startsWith("_")) {
      throw new IllegalArgumentException(
          option
              + " takes the name of a tenant, which does not begin with _: "
              + tenant
              + (problem == null ? "" : " " + problem));
    }
  }

  /** Checks a folder that is there or is to be made. */
  static void requireFolder(String option, Path folder) {
    for (Path each = folder.toAbsolutePath(); each != null; each = each.getParent()) {
      if (Files.isDirectory(each)) {
        return;
      }
      if (Files.exists(each, LinkOption.NOFOLLOW_LINKS)) {
        throw new IllegalArgumentException(
            option + " " + folder + " takes a folder, and " + each + " is none");
      }
    }
  }

  /** Checks the private key under which a node votes. */
  static String requireVoteKey(String option, String key) {
    try {
      Keys.sign(new byte[0], key);
      return key;
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          option + ": the file holds no private key; entente vote key makes one", e);
    }
  }
}
