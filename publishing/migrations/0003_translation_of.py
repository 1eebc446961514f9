import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("publishing", "0002_report")]

    operations = [
        migrations.AddField(
            model_name="publication",
            name="translation_of",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="translations",
                to="publishing.publication",
            ),
        ),
    ]
