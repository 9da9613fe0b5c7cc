"""Calls every operation of IAM by boto3, and compares each reply with the model of botocore.

Arguments: the names of the operations that must be called. Prints the members that the model does not have, those that it requires and a
reply does not have, and the operations that were not called.
"""

import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import boto3

NAMESPACE = "{https://iam.amazonaws.com/doc/2010-05-08/}"
# AWS's replies differ from its model in these.
UNLISTED = {"PermissionsBoundaryType": "Policy", "SourcePolicyType": "IAM Policy"}
ALLOW = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'
TRUST = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}}'
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
TAGS = [{"Key": "Team", "Value": "Blue"}]

iam = boto3.client("iam", aws_access_key_id="111122223333", aws_secret_access_key="any")
called = set()


def compare(element, shape, path):
    names = [child.tag.removeprefix(NAMESPACE) for child in element]
    if shape.type_name == "structure":
        for name in set(names) - set(shape.members):
            print(path, "has", name)
        for name in set(shape.required_members) - set(names):
            print(path, "lacks", name)
        for name, child in zip(names, element):
            if name in shape.members:
                compare(child, shape.members[name], f"{path}.{name}")
    elif shape.type_name == "list":
        for name, child in zip(names, element):
            compare(child, shape.member, f"{path}[]") if name == "member" else print(path, "has", name)
    elif shape.type_name == "string" and getattr(shape, "enum", None):
        if element.text not in shape.enum and element.text != UNLISTED.get(path.rsplit(".", 1)[-1]):
            print(path, "is", element.text)


def check(http_response, model, **_):
    called.add(model.name)
    root = ElementTree.fromstring(http_response.content)
    results = [child for child in root if child.tag.endswith("Result")]
    if len(results) != (0 if model.output_shape is None else 1):
        print(model.name, "has", len(results), "results")
    for result in results:
        compare(result, model.output_shape, model.name)


def of(kind, operation, **more):
    """Calls an operation that is the same for users, groups and roles."""
    return getattr(iam, operation.format(kind))(**{f"{kind.capitalize()}Name": kind}, **more)


iam.meta.events.register("after-call.iam", check)
iam.create_user(UserName="user", Tags=TAGS, PermissionsBoundary=READ_ONLY)
iam.create_group(GroupName="group")
iam.create_role(RoleName="role", AssumeRolePolicyDocument=TRUST, Tags=TAGS, PermissionsBoundary=READ_ONLY, Description="A")
policy = iam.create_policy(PolicyName="P", PolicyDocument=ALLOW, Tags=TAGS, Description="A")["Policy"]["Arn"]
iam.create_policy_version(PolicyArn=policy, PolicyDocument=ALLOW)
for kind in ["user", "group", "role"]:
    of(kind, "attach_{}_policy", PolicyArn=policy)
    of(kind, "put_{}_policy", PolicyName="I", PolicyDocument=ALLOW)
    assert of(kind, "get_{}_policy", PolicyName="I")["PolicyDocument"]["Version"] == "2012-10-17"
    of(kind, "list_{}_policies")
    of(kind, "list_attached_{}_policies")
    of(kind, "get_{}")
    getattr(iam, f"list_{kind}s")()
for kind in ["user", "role"]:
    of(kind, "tag_{}", Tags=TAGS)
    of(kind, "list_{}_tags")
    of(kind, "untag_{}", TagKeys=["Team"])
    of(kind, "delete_{}_permissions_boundary")
    of(kind, "put_{}_permissions_boundary", PermissionsBoundary=READ_ONLY)
iam.add_user_to_group(GroupName="group", UserName="user")
iam.get_group(GroupName="group")
iam.list_groups_for_user(UserName="user")
iam.tag_policy(PolicyArn=policy, Tags=TAGS)
iam.list_policy_tags(PolicyArn=policy)
iam.untag_policy(PolicyArn=policy, TagKeys=["Team"])
iam.get_policy(PolicyArn=policy)
iam.list_policies(OnlyAttached=True)
assert iam.get_policy_version(PolicyArn=policy, VersionId="v1")["PolicyVersion"]["Document"]["Version"] == "2012-10-17"
iam.list_policy_versions(PolicyArn=policy)
iam.list_entities_for_policy(PolicyArn=policy)
iam.set_default_policy_version(PolicyArn=policy, VersionId="v2")
iam.delete_policy_version(PolicyArn=policy, VersionId="v1")

key = {"UserName": "user", "AccessKeyId": iam.create_access_key(UserName="user")["AccessKey"]["AccessKeyId"]}
iam.list_access_keys(UserName="user")
iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])
iam.update_access_key(Status="Inactive", **key)
iam.delete_access_key(**key)

created = iam.create_service_specific_credential(UserName="user", ServiceName="codecommit.amazonaws.com")
identifier = created["ServiceSpecificCredential"]["ServiceSpecificCredentialId"]
credential = {"UserName": "user", "ServiceSpecificCredentialId": identifier}
iam.list_service_specific_credentials(UserName="user")
iam.reset_service_specific_credential(**credential)
iam.update_service_specific_credential(Status="Inactive", **credential)
iam.delete_service_specific_credential(**credential)

subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", "key"], check=True)
with open("key.pub") as file:
    line = file.read()
uploaded = iam.upload_ssh_public_key(UserName="user", SSHPublicKeyBody=line)["SSHPublicKey"]
ssh_key = {"UserName": "user", "SSHPublicKeyId": uploaded["SSHPublicKeyId"]}
with open("key.pem", "w") as file:
    file.write(iam.get_ssh_public_key(Encoding="PEM", **ssh_key)["SSHPublicKey"]["SSHPublicKeyBody"])
read = subprocess.run(["ssh-keygen", "-i", "-m", "PKCS8", "-f", "key.pem"], check=True, capture_output=True, text=True)
assert read.stdout.split()[1] == line.split()[1]
iam.list_ssh_public_keys(UserName="user")
iam.update_ssh_public_key(Status="Inactive", **ssh_key)
iam.delete_ssh_public_key(**ssh_key)

source = "arn:aws:iam::111122223333:user/user"
resources = [f"arn:aws:codecommit:us-east-1:{account}:demo" for account in ["111122223333", "444455556666"]]
iam.simulate_principal_policy(PolicySourceArn=source, ActionNames=["codecommit:GitPull"], ResourceArns=resources)
iam.simulate_custom_policy(
    PolicyInputList=[ALLOW],
    ActionNames=["codecommit:GitPull"],
    OrderedOrganizationPolicyInputList=[{"ServiceControlPolicyInputList": [ALLOW]}],
)
iam.get_context_keys_for_custom_policy(PolicyInputList=[ALLOW])
iam.get_context_keys_for_principal_policy(PolicySourceArn=source)
iam.get_account_authorization_details()

iam.list_instance_profiles_for_role(RoleName="role")
iam.update_role(RoleName="role", Description="B")
iam.update_role_description(RoleName="role", Description="C")
iam.update_assume_role_policy(RoleName="role", PolicyDocument=TRUST)
iam.update_user(UserName="user", NewPath="/team/")
iam.update_group(GroupName="group", NewPath="/team/")
iam.remove_user_from_group(GroupName="group", UserName="user")
for kind in ["user", "group", "role"]:
    of(kind, "detach_{}_policy", PolicyArn=policy)
    of(kind, "delete_{}_policy", PolicyName="I")
    of(kind, "delete_{}")
iam.delete_policy(PolicyArn=policy)
for name in set(sys.argv[1:]) - called:
    print(name, "was not called")
