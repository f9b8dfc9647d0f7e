// SPDX-License-Identifier: Apache-2.0
package dev.entente.simulation;

import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A scenario with a script: what happens to a cluster, and what is expected of it. The seven are
 * those of the reference documents, their hours told in minutes.
 *
 * @param nodes names of the nodes, the first three of which vote
 * @param seconds how long it lasts before all is healed
 * @param expectation what a reader should look for
 * @param script plans what happens
 */
public record Story(
    String name,
    String title,
    String about,
    String expectation,
    List<String> nodes,
    int seconds,
    Consumer<Stage> script) {
  private static final List<String> REGIONS = List.of("asia", "eu", "us");

  public Story {
    nodes = List.copyOf(nodes);
  }

  /** All of them. */
  public static List<Story> all() {
    return List.of(
        new Story(
            "holiday-spike",
            "Holiday spike",
            "Carts are filled ten times as fast as usual for twenty seconds, in three regions at"
                + " once.",
            "More carts are written in two places at once; sets merge without losing an item, and"
                + " nobody is refused.",
            REGIONS,
            40,
            stage -> {
              stage.everywhere(0, "usual load", 6);
              stage.everywhere(10, "ten times the load", 60);
              stage.everywhere(30, "usual load again", 6);
            }),
        new Story(
            "datacentre-partition",
            "Data-centre partition",
            "One of three data centres loses its lines to the others for thirty seconds.",
            "It goes on taking carts and profiles, refuses seats (which must agree), and has"
                + " everything within seconds after the lines are back.",
            REGIONS,
            55,
            stage -> {
              stage.everywhere(0, "usual load", 8);
              stage.isolate(12, "asia");
              stage.healAll(42);
            }),
        new Story(
            "buggy-client",
            "Buggy client",
            "A client sends a hundred updates a second to one and the same cart, by way of two"
                + " regions.",
            "That cart is merged again and again; other records and the lag of others do not"
                + " suffer.",
            REGIONS,
            30,
            stage -> {
              stage.everywhere(0, "usual load", 6);
              stage.hammer(10, 20, "eu", 50);
              stage.hammer(10, 20, "us", 50);
            }),
        new Story(
            "transatlantic-cut",
            "Transatlantic cable cut",
            "Two European and two American nodes lose each other for two hours, told in two"
                + " minutes.",
            "Both sides go on with carts and profiles. Afterwards carts are merged, profiles that"
                + " both changed are settled by rule or wait for people.",
            List.of("eu-1", "eu-2", "us-1", "us-2"),
            150,
            stage -> {
              stage.everywhere(0, "usual load", 4);
              stage.apart(15, List.of("eu-1", "eu-2"), List.of("us-1", "us-2"));
              stage.healAll(135);
            }),
        new Story(
            "region-loss",
            "Loss of a region",
            "The region that leads goes down for good, with its disk; a new node takes its place.",
            "Others lead within a second or two; what was acknowledged as agreed is all there. The"
                + " new node gets everything from the others.",
            REGIONS,
            50,
            stage -> {
              stage.everywhere(0, "usual load", 8);
              stage.lose(15, "asia");
              stage.replace(30, "asia");
            }),
        new Story(
            "split-brain",
            "Split brain",
            "The node that leads is cut off. Meanwhile a virtual machine is started on a host of"
                + " each side.",
            "The side without a majority steps down for seats, so that there are never two who"
                + " decide; the machine on two hosts is a critical conflict as soon as the sides"
                + " meet.",
            REGIONS,
            45,
            stage -> {
              stage.everywhere(0, "usual load", 8);
              stage.isolate(12, "asia");
              stage.startMachine(20, "asia", "host-7");
              stage.startMachine(20, "eu", "host-9");
              stage.healAll(32);
            }),
        new Story(
            "cascade",
            "Cascade",
            "One node dies under load, its clients move to the next, which dies in turn, until one"
                + " is left; then they come back one by one.",
            "What was acknowledged survives all of it. While one is left, seats are refused and"
                + " the rest goes on.",
            REGIONS,
            60,
            stage -> {
              stage.everywhere(0, "usual load", 12);
              stage.kill(12, "asia");
              stage.load(13, "its clients move to eu", "eu", 24);
              stage.kill(20, "eu");
              stage.load(21, "all clients move to us", "us", 36);
              stage.start(34, "eu");
              stage.start(42, "asia");
              stage.everywhere(46, "clients are back where they were", 12);
            }));
  }

  /** The one of a name. */
  public static Optional<Story> named(String name) {
    return all().stream().filter(story -> story.name().equals(name)).findFirst();
  }
}
