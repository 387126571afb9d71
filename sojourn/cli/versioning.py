"""Temporal's worker versioning for `sojourn worker`: the deployment and the build that its environment names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sojourn.cli.output import CliError, ExitCode

if TYPE_CHECKING:
    from temporalio.worker import WorkerDeploymentConfig

    from sojourn.settings import Settings

NAME_VARIABLE = "TEMPORAL_DEPLOYMENT_NAME"
BUILD_VARIABLE = "TEMPORAL_WORKER_BUILD_ID"
"""Both are what Temporal's Worker Controller sets in the pods that it makes."""


def deployment_config(settings: Settings) -> WorkerDeploymentConfig | None:
    """Return the deployment and the build of this worker; nothing where the environment names none.

    Args:
        settings: `versioning` is used.

    Raises:
        CliError: One of the two is missing, or the name is none that Temporal takes.
    """
    name, build = (os.environ.get(variable, "").strip() for variable in (NAME_VARIABLE, BUILD_VARIABLE))
    if not name and not build:
        return None
    if not name or not build:
        there, missing = (NAME_VARIABLE, BUILD_VARIABLE) if name else (BUILD_VARIABLE, NAME_VARIABLE)
        raise CliError(
            f"{there} is set and {missing} is not: a versioned worker needs both; leave both out for a worker "
            "without a version",
            ExitCode.USAGE,
        )
    from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
    from temporalio.worker import WorkerDeploymentConfig

    from sojourn.plugin import check_deployment

    pinned = settings.versioning == "pinned"
    config = WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(name, build),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.PINNED if pinned else VersioningBehavior.AUTO_UPGRADE,
    )
    try:
        check_deployment(config)
    except ValueError as error:
        raise CliError(f"{NAME_VARIABLE}: {error}", ExitCode.USAGE) from None
    return config


def shown(config: WorkerDeploymentConfig) -> str:
    """Return what an operator has to know of a versioned worker, as a line of the log."""
    from temporalio.common import VersioningBehavior

    name, build = config.version.deployment_name, config.version.build_id
    pinned = config.default_versioning_behavior == VersioningBehavior.PINNED
    return (
        f"build {build} of deployment {name}, {'pinned' if pinned else 'auto-upgrade'}: instances come to it once it "
        f"is the current version, or ramps up (temporal worker deployment set-current-version --deployment-name {name} "
        f"--build-id {build})"
    )
