// SPDX-License-Identifier: Apache-2.0
package dev.entente.quality;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import dev.entente.engine.store.RocksStore;

/** The arrows: every module points towards the core, and the core is pure. */
@AnalyzeClasses(packages = "dev.entente", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  @ArchTest
  static void modulesPointTowardsTheCore(JavaClasses classes) {
    layeredArchitecture()
        .consideringOnlyDependenciesInAnyPackage("dev.entente..")
        .layer("core")
        .definedBy("dev.entente.core..")
        .layer("engine")
        .definedBy("dev.entente.engine..")
        .layer("cluster")
        .definedBy("dev.entente.cluster..")
        .layer("simulation")
        .definedBy("dev.entente.simulation..")
        .layer("scenarios")
        .definedBy("dev.entente.scenarios..")
        .layer("server")
        .definedBy("dev.entente.server..")
        .layer("cli")
        .definedBy("dev.entente.cli..")
        .optionalLayer("benchmarks")
        .definedBy("dev.entente.benchmarks..")
        .whereLayer("engine")
        .mayOnlyBeAccessedByLayers(
            "cluster", "simulation", "scenarios", "server", "cli", "benchmarks")
        .whereLayer("cluster")
        .mayOnlyBeAccessedByLayers("simulation", "server", "cli", "benchmarks")
        .whereLayer("simulation")
        .mayOnlyBeAccessedByLayers("cli")
        .whereLayer("scenarios")
        .mayOnlyBeAccessedByLayers("cli", "benchmarks")
        .whereLayer("server")
        .mayOnlyBeAccessedByLayers("cli", "benchmarks")
        .whereLayer("cli")
        .mayOnlyBeAccessedByLayers("benchmarks")
        .check(classes);
  }

  @ArchTest
  static void insideTheCoreCausalityKnowsNobodyAndStrategiesAreKnownByFew(JavaClasses classes) {
    noClasses()
        .that()
        .resideInAPackage("..core.causality..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "..core.crdt..",
            "..core.record..",
            "..core.policy..",
            "..core.resolve..",
            "..core.merge..",
            "..core.edit..")
        .check(classes);
    noClasses()
        .that()
        .resideInAnyPackage("..core.crdt..", "..core.record..", "..core.merge..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("..core.policy..", "..core.resolve..", "..core.edit..")
        .check(classes);
    noClasses()
        .that()
        .resideInAPackage("..core.policy..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("..core.resolve..")
        .check(classes);
  }

  @ArchTest
  static void theCoreIsPure(JavaClasses classes) {
    noClasses()
        .that()
        .resideInAPackage("..core..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "java.io..",
            "java.nio.file..",
            "java.net..",
            "java.util.concurrent..",
            "java.util.logging..",
            "org.slf4j..")
        .orShould()
        .callMethod(System.class, "currentTimeMillis")
        .orShould()
        .callMethod(System.class, "nanoTime")
        .orShould()
        .callMethod(java.time.Instant.class, "now")
        .orShould()
        .callMethod(Thread.class, "sleep", long.class)
        .orShould()
        .callMethod(Math.class, "random")
        .orShould()
        .dependOnClassesThat()
        .areAssignableTo(java.util.Random.class)
        .because("time, chance and the world are arguments there")
        .check(classes);
  }

  @ArchTest
  static void noIterationOrderThatDiffersBetweenRunsReachesTheState(JavaClasses classes) {
    noClasses()
        .that()
        .resideInAnyPackage("..core.causality..", "..core.crdt..", "..core.record..")
        .should()
        .dependOnClassesThat()
        .areAssignableTo(java.util.HashMap.class)
        .orShould()
        .dependOnClassesThat()
        .areAssignableTo(java.util.HashSet.class)
        .check(classes);
  }

  @ArchTest
  static void theWebFrameworkStaysInTheServerAndWhatItPlugsIn(JavaClasses classes) {
    noClasses()
        .that()
        .doNotHaveSimpleName("EntenteServer")
        .and()
        .doNotHaveSimpleName("HandshakeRefusal")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.helidon.webserver..")
        .check(classes);
  }

  @ArchTest
  static void whatPostsToStrangersIsOneClass(JavaClasses classes) {
    noClasses()
        .that()
        .doNotHaveSimpleName("EntenteServer")
        .and()
        .doNotHaveSimpleName("HpackMend")
        .and()
        .doNotHaveSimpleName("FrameLimit")
        .and()
        .doNotHaveSimpleName("HandshakeRefusal")
        .and()
        .doNotHaveSimpleName("HttpSender")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.helidon..")
        .check(classes);
  }

  @ArchTest
  static void whatSignsInStaysApartFromHttp(JavaClasses classes) {
    noClasses()
        .that()
        .resideInAPackage("dev.entente.server.access..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("dev.entente.server")
        .check(classes);
  }

  @ArchTest
  static void theStoreLibraryStaysInThePackageOfStores(JavaClasses classes) {
    noClasses()
        .that()
        .resideOutsideOfPackage(RocksStore.class.getPackageName())
        .should()
        .dependOnClassesThat()
        .resideInAPackage("org.rocksdb..")
        .check(classes);
  }

  @ArchTest
  static void nothingIsSerializedByJava(JavaClasses classes) {
    noClasses()
        .should()
        .dependOnClassesThat()
        .areAssignableTo(java.io.ObjectInputStream.class)
        .check(classes);
  }

  @ArchTest
  static void enginePackagesHaveNoCycles(JavaClasses classes) {
    SlicesRuleDefinition.slices()
        .matching("dev.entente.core.(crdt|record|merge|json|causality)..")
        .should()
        .beFreeOfCycles()
        .check(classes);
  }
}
