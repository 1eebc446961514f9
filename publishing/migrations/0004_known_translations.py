import json

from django.db import migrations


def name_originals(apps, schema_editor):
    """What was published before the column was there says in its text which original it was made from."""
    Publication = apps.get_model("publishing", "Publication")
    StoredDocument = apps.get_model("publishing", "StoredDocument")
    for publication in Publication.objects.filter(live__isnull=False, translation_of=None).select_related("live"):
        # Canonical bytes leave out empty fields.
        text = StoredDocument.objects.filter(
            pk=publication.live.fingerprint, canonical__contains='"translation_of":"'
        ).first()
        if text:
            publication.translation_of = Publication.objects.filter(
                uuid=json.loads(text.canonical)["translation_of"]
            ).first()
            publication.save(update_fields=["translation_of"])


class Migration(migrations.Migration):
    dependencies = [("publishing", "0003_translation_of")]

    operations = [migrations.RunPython(name_originals, migrations.RunPython.noop)]
